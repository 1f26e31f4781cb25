// Verifies every badge of a demo with libraries that share no code with the service.
//
//   node verify-badges.mjs SUMMARY.json [ORIGIN] [--save FOLDER]
//
// SUMMARY.json is what `assay demo --json` prints. ORIGIN is where the service answers now, when that is not the
// `base_url` of the summary. `--save` keeps each badge as it was served, and one altered copy of each.
//
// The last line is `N passed, N failed`. The exit status is 0 when nothing failed, 1 when something did, and 64 when
// the command line makes no sense.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus, statusTypeMatches} from '@digitalbazaar/vc-bitstring-status-list';
import jsonld from 'jsonld';

import {documentLoader, readContexts, Service} from './loader.mjs';

const USAGE = 'usage: node verify-badges.mjs SUMMARY.json [ORIGIN] [--save FOLDER]';

/** Counts what held and what did not. */
class Report {
  passed = 0;
  failed = 0;

  /** Runs one check; it fails by throwing. */
  async check(name, work) {
    try {
      const note = await work();
      this.passed += 1;
      console.log(`ok    ${name}${note ? `: ${note}` : ''}`);
    } catch(error) {
      this.failed += 1;
      console.log(`FAIL  ${name}: ${explain(error)}`);
    }
  }
}

/** The messages of an error and of everything inside of it. */
function explain(error) {
  const inner = [...(error?.errors ?? []), ...(error?.cause ? [error.cause] : [])];
  const details = error?.details ? ` ${JSON.stringify(error.details).slice(0, 2000)}` : '';
  return [`${error?.message ?? error}${details}`, ...inner.map(explain)].join(' / ');
}

function ensure(condition, message) {
  if(!condition) {
    throw new Error(message);
  }
}

/** The library with our documents. A suite remembers the hash of the last document, so each run gets a new one. */
class Verifier {
  constructor(loader) {
    this.documentLoader = loader;
  }

  /** Proof, validity period and status: the way an application verifies. */
  verify(credential) {
    const suite = new DataIntegrityProof({cryptosuite});
    const isClear = async options => {
      const result = await this.status(options.credential);
      const set = (result.results ?? []).filter(({status}) => status);
      return {...result, verified: result.verified && set.length === 0};
    };
    return vc.verifyCredential({
      credential, suite, documentLoader: this.documentLoader,
      checkStatus: credential.credentialStatus ? isClear : undefined
    });
  }

  /** The status of a badge, the proof of the list and its issuer included. */
  status(credential) {
    return checkStatus({
      credential, suite: new DataIntegrityProof({cryptosuite}), documentLoader: this.documentLoader,
      verifyBitstringStatusListCredential: true, verifyMatchingIssuers: true
    });
  }

  async requireProof(credential) {
    const result = await this.verify(credential);
    ensure(result.results?.length === 1, `one proof was expected: ${explain(result.error)}`);
    ensure(result.results[0].verified, explain(result.error ?? result.results[0].error));
    return result;
  }

  async readStatus(credential) {
    ensure(statusTypeMatches({credential}), 'the badge has no status entry that the library knows');
    const {verified, results, error} = await this.status(credential);
    ensure(verified, explain(error));
    ensure(results.length === 1, `one status was expected, ${results.length} were found`);
    ensure(results[0].credentialStatus.statusPurpose === 'revocation', 'the status has another purpose');
    return results[0].status;
  }

  /** Refused, and not for want of a document: the same document unaltered has to have passed before. */
  async requireRefused(credential) {
    const result = await this.verify(credential);
    ensure(!result.verified && result.statusResult === undefined, 'an altered document was accepted');
    return explain(result.error);
  }
}

/** Every string inside of a value, as a path. */
function strings(value, path = []) {
  if(typeof value === 'string') {
    return [path];
  }
  if(value === null || typeof value !== 'object') {
    return [];
  }
  return Object.entries(value).flatMap(([key, member]) => strings(member, [...path, key]));
}

/** The same text with the character in its middle replaced by another of its kind. */
function alterText(text) {
  const middle = Math.floor(text.length / 2);
  const kinds = ['0123456789', 'abcdefghjk', 'ABCDEFGHJK'];
  const kind = kinds.find(characters => characters.includes(text[middle])) ?? 'xy';
  const other = kind[(kind.indexOf(text[middle]) + 1) % kind.length];
  return text.slice(0, middle) + other + text.slice(middle + 1);
}

/** A copy of the document in which one character of one string is another. */
function alter(document, path) {
  const copy = structuredClone(document);
  const parent = path.slice(0, -1).reduce((value, key) => value[key], copy);
  const key = path.at(-1);
  parent[key] = alterText(parent[key]);
  return copy;
}

async function checkAltered(report, verifier, name, document) {
  const paths = strings(document);
  await report.check(`${name}: one changed character in any of its ${paths.length} texts is refused`, async () => {
    ensure(paths.length > 10, 'there are hardly any texts');
    for(const path of paths) {
      try {
        await verifier.requireRefused(alter(document, path));
      } catch(error) {
        throw new Error(`at /${path.join('/')}: ${explain(error)}`);
      }
    }
  });
}

/** What has to hold for a badge in any state. Returns the badge, or null when it cannot be read. */
async function checkBadge({report, verifier, service, save}, award) {
  const name = `${award.state} badge ${award.id}`;
  let badge = null;
  await report.check(`${name}: is served as application/vc`, async () => {
    const text = await service.download(award.url, 'application/vc');
    badge = JSON.parse(text);
    ensure(badge.id === award.url, `it calls itself ${badge.id}`);
    if(save) {
      const altered = JSON.stringify(alter(badge, ['credentialSubject', 'achievement', 'name']));
      await writeFile(join(save, `${award.state}-${award.id}.json`), text);
      await writeFile(join(save, `altered-${award.id}.json`), altered);
    }
  });
  if(!badge) {
    return null;
  }
  await report.check(`${name}: the proof holds`, async () => {
    await verifier.requireProof(badge);
  });
  await report.check(`${name}: a changed character in its title is refused because of the signature`, async () => {
    const reason = await verifier.requireRefused(alter(badge, ['credentialSubject', 'achievement', 'name']));
    ensure(reason.includes('Invalid signature'), `it was refused for another reason: ${reason}`);
  });
  await checkAltered(report, verifier, name, badge);
  return badge;
}

async function checkState({report, verifier}, award, badge) {
  const name = `${award.state} badge ${award.id}`;
  switch(award.state) {
    case 'active':
      await report.check(`${name}: is verified, and its status is clear`, async () => {
        ensure(await verifier.readStatus(badge) === false, 'its status is revoked');
        const result = await verifier.verify(badge);
        ensure(result.verified, explain(result.error ?? result.statusResult?.error));
      });
      break;
    case 'revoked':
      await report.check(`${name}: its status is revoked, and so it is not verified`, async () => {
        ensure(await verifier.readStatus(badge) === true, 'its status is clear');
        const result = await verifier.verify(badge);
        ensure(!result.verified, 'a revoked badge was verified');
        ensure(result.results[0].verified && result.statusResult?.verified === false,
          'it was refused for another reason than its status');
      });
      break;
    default:
      await report.check(`${name}: has a state that is known here`, () => {
        throw new Error(`${award.state} is not`);
      });
  }
}

async function checkStatusList({report, verifier, service}, url) {
  let list = null;
  await report.check(`status list ${url}: is itself a credential with a proof that holds`, async () => {
    list = JSON.parse(await service.download(url, 'application/vc'));
    ensure(list.id === url, `it calls itself ${list.id}`);
    await verifier.requireProof(list);
  });
  if(list) {
    await checkAltered(report, verifier, `status list ${url}`, list);
  }
}

/** In safe mode the library refuses a document with a term that it would otherwise drop without a word. */
async function checkTerms({report, verifier, service}, url) {
  await report.check(`${url}: every term is defined`, async () => {
    const document = JSON.parse(await service.download(url, 'application/ld+json'));
    ensure(document.id === url, `it calls itself ${document.id}`);
    await jsonld.toRDF(document, {documentLoader: verifier.documentLoader, base: null, safe: true});
  });
}

async function main(summaryFile, origin, save) {
  const summary = JSON.parse(await readFile(summaryFile, 'utf8'));
  const service = new Service({baseUrl: summary.base_url, origin: origin ?? summary.base_url});
  const verifier = new Verifier(documentLoader({contexts: await readContexts(), service}));
  const report = new Report();
  const house = {report, verifier, service, save};
  if(save) {
    await mkdir(save, {recursive: true});
  }
  await report.check('the demo names one active and one revoked badge', () => {
    const states = summary.awards.map(({state}) => state).sort().join(', ');
    ensure(states === 'active, revoked', `it names ${states || 'none'}`);
  });
  const lists = new Set();
  const documents = new Set();
  for(const award of summary.awards) {
    const badge = await checkBadge(house, award);
    if(badge) {
      await checkState(house, award, badge);
      lists.add(badge.credentialStatus.statusListCredential);
      documents.add(badge.issuer.id).add(badge.credentialSubject.achievement.id);
    }
  }
  for(const url of lists) {
    await checkStatusList(house, url);
  }
  for(const url of documents) {
    await checkTerms(house, url);
  }
  console.log(`${report.passed} passed, ${report.failed} failed`);
  return report.failed === 0 ? 0 : 1;
}

/** The command line, or `null` when it makes no sense. */
function readCommandLine() {
  try {
    const {values, positionals} = parseArgs({allowPositionals: true, options: {save: {type: 'string'}}});
    const [summary, origin, ...rest] = positionals;
    return summary && rest.length === 0 ? {summary, origin: origin?.replace(/\/+$/, ''), save: values.save} : null;
  } catch {
    return null;
  }
}

const line = readCommandLine();
if(line) {
  process.exitCode = await main(line.summary, line.origin, line.save);
} else {
  console.error(USAGE);
  process.exitCode = 64;
}
