// Credentials with embedded proofs, by Digital Bazaar's libraries.
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus, statusTypeMatches} from '@digitalbazaar/vc-bitstring-status-list';
import jsonld from 'jsonld';

import {ensure, explain, items} from './report.mjs';

/** The words for a status that is set, by its purpose. */
export const WORDS = {revocation: 'revoked', suspension: 'suspended'};

/** The library with our documents. A suite remembers the hash of the last document, so each run gets a new one. */
export class EmbeddedProofs {
  constructor(documents) {
    this.documentLoader = documents.loader;
  }

  /** Proof and validity period, and the status as far as it is asked for. */
  async #verify(credential, {now, status = async () => ({verified: true})}) {
    const result = await vc.verifyCredential({
      credential, now, suite: new DataIntegrityProof({cryptosuite}), documentLoader: this.documentLoader, checkStatus: status
    });
    if(result.verified) {
      ensure(result.results.length === 1, `one proof was expected, ${result.results.length} were found`);
    }
    return result;
  }

  /** Signed by its issuer and in force at that time; throws if not. The status is another question. */
  async requireProof(credential, now = new Date()) {
    const result = await this.#verify(credential, {now});
    ensure(result.verified, explain(result.error ?? 'refused'));
  }

  /** Each status entry with the bit of its list; proof and issuer of the list included. */
  async statuses(credential) {
    ensure(statusTypeMatches({credential}), 'the credential has no status entry that the library knows');
    const found = [];
    for(const entry of items(credential.credentialStatus)) {
      const {verified, results, error} = await this.#checkStatus({...credential, credentialStatus: entry});
      ensure(verified, explain(error));
      found.push({purpose: results[0].credentialStatus.statusPurpose, isSet: results[0].status});
    }
    return found;
  }

  #checkStatus(credential) {
    return checkStatus({
      credential, suite: new DataIntegrityProof({cryptosuite}), documentLoader: this.documentLoader,
      verifyBitstringStatusListCredential: true, verifyMatchingIssuers: true
    });
  }

  /** Everything in one call, the way an application verifies. */
  async isAccepted(credential) {
    const status = async ({credential}) => {
      const set = (await this.statuses(credential)).filter(({isSet}) => isSet);
      return {verified: set.length === 0};
    };
    const {verified} = await this.#verify(credential, {status});
    return verified;
  }

  /** In safe mode the library refuses a document with a term that it would otherwise drop without a word. */
  async requireDefinedTerms(document) {
    await jsonld.toRDF(document, {documentLoader: this.documentLoader, base: null, safe: true});
  }
}
