// Credentials that are signed as JWTs, by `jose`.
import {webcrypto} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';

import {toJwk} from '@digitalbazaar/ed25519-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {decodeList} from '@digitalbazaar/vc-bitstring-status-list';
import {decodeJwt, decodeProtectedHeader, importJWK, jwtVerify} from 'jose';

import {ensure, items} from './report.mjs';

// Node.js 18 has it, but not where the library looks.
globalThis.crypto ??= webcrypto;

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
const REGISTERED = ['iss', 'jti', 'sub', 'nbf', 'exp'];

const seconds = time => time === undefined ? undefined : Date.parse(time) / 1000;
const issuerOf = credential => credential.issuer?.id ?? credential.issuer;

export class Tokens {
  constructor(documents, embedded) {
    this.documents = documents;
    this.embedded = embedded;
  }

  /** The credential in a token that its issuer has signed and that is in force at that time. */
  async requireProof(token, now = new Date()) {
    const header = decodeProtectedHeader(token);
    ensure(isDeepStrictEqual(Object.keys(header).sort(), ['alg', 'kid', 'typ']), 'the header has other members');
    ensure(ALGORITHMS.includes(header.alg), `${header.alg} is no algorithm of badges`);
    const credential = decodeJwt(token);
    ensure(credential.vc === undefined, 'the claim vc belongs to an older form');
    const issuer = issuerOf(credential);
    const key = await importJWK(await this.#key(header.kid, issuer), header.alg);
    const {payload} = await jwtVerify(token, key, {
      algorithms: [header.alg], typ: 'JWT', issuer, currentDate: now, requiredClaims: ['iss', 'jti', 'nbf']
    });
    const wanted = {
      iss: issuer, jti: payload.id, sub: payload.credentialSubject.id,
      nbf: seconds(payload.validFrom), exp: seconds(payload.validUntil)
    };
    for(const claim of REGISTERED) {
      ensure(payload[claim] === wanted[claim], `${claim} is ${payload[claim]}, and the credential says ${wanted[claim]}`);
    }
    return payload;
  }

  /** The public key that an issuer has published under this name. */
  async #key(kid, issuer) {
    const controller = await this.documents.controller(issuer);
    const methods = items(controller.assertionMethod).map(method => method.id ?? method);
    ensure(methods.includes(kid), `${issuer} does not sign with ${kid}`);
    if(kid.startsWith('did:')) {
      const method = await this.documents.find(kid);
      ensure(method.id === kid && method.controller === issuer && !method.revoked, `${kid} is no key of ${issuer}`);
      return method.publicKeyJwk ?? toJwk({keyPair: await Ed25519Multikey.from(method)});
    }
    // An address answers with the one bare key.
    const key = JSON.parse(await this.documents.text(kid, 'application/jwk+json'));
    ensure(key.kid === kid && key.d === undefined, `${kid} serves another key`);
    return key;
  }

  /** Each status entry with the bit of its list, which is read as a token where it can be had as one. */
  async statuses(credential) {
    const found = [];
    for(const {type, statusPurpose, statusListCredential: url, statusListIndex} of items(credential.credentialStatus)) {
      ensure(type === 'BitstringStatusListEntry', `${type} is no status that is known here`);
      const list = await this.#list(url);
      ensure(list.id === url, `${url} serves ${list.id}`);
      ensure(list.type.includes('BitstringStatusListCredential'), `${url} is no status list`);
      ensure(issuerOf(list) === issuerOf(credential), 'the list is of another issuer');
      const {statusPurpose: purpose, encodedList} = list.credentialSubject;
      ensure(purpose === statusPurpose, `the list is for ${purpose}, not for ${statusPurpose}`);
      const bits = await decodeList({encodedList});
      found.push({purpose, isSet: bits.getStatus(Number(statusListIndex))});
    }
    return found;
  }

  async #list(url) {
    const text = await this.documents.text(url, 'application/vc+jwt');
    if(!text.startsWith('{')) {
      return this.requireProof(text);
    }
    // A host of plain files has one form for an address.
    const list = JSON.parse(text);
    await this.embedded.requireProof(list);
    return list;
  }

  /** Everything in one call. */
  async isAccepted(token) {
    let credential;
    try {
      credential = await this.requireProof(token);
    } catch {
      return false;
    }
    return (await this.statuses(credential)).every(({isSet}) => !isSet);
  }

  /** What is signed is the same as in the other form of the badge. */
  requireSameContent(token, document) {
    const {proof, ...unsecured} = document;
    const content = Object.fromEntries(Object.entries(decodeJwt(token)).filter(([name]) => !REGISTERED.includes(name)));
    ensure(isDeepStrictEqual(content, unsecured), 'it says something else than the document with the embedded proof');
  }
}
