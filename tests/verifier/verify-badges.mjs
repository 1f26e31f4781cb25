// Verifies badges with libraries that share no code with the service.
//
//   node verify-badges.mjs demo SUMMARY.json --save FOLDER
//   node verify-badges.mjs folder FOLDER [--live]
//
// `demo` takes what `assay demo --json` prints, fetches each badge in each form from the service, verifies them, and keeps them in a folder.
// `folder` verifies the badges that the `index.json` of a folder names, with the documents that it names as well; with `--live` it reads the
// documents from the host of the badges' base URL instead, which may be one of plain files.
//
// The last line is `N passed, N failed`. The exit status is 0 when nothing failed, 1 when something did, and 64 when the command line makes
// no sense.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

import {Badges} from './badges.mjs';
import {EmbeddedProofs} from './embedded.mjs';
import {Documents, Folder, Host, readContexts} from './loader.mjs';
import {ensure, items, Report} from './report.mjs';
import {Tokens} from './tokens.mjs';

const USAGE = 'usage: node verify-badges.mjs demo SUMMARY.json --save FOLDER | folder FOLDER [--live]';
const FORMS = {json: 'application/vc', jwt: 'application/vc+jwt', png: 'image/png', svg: 'image/svg+xml'};

/** The libraries with a source of documents. */
async function furnish(source) {
  const documents = new Documents({contexts: await readContexts(), source});
  const embedded = new EmbeddedProofs(documents);
  const tokens = new Tokens(documents, embedded);
  const report = new Report();
  return {documents, embedded, tokens, report, badges: new Badges({report, embedded, tokens})};
}

/** What badges refer to: lists that are credentials themselves, and documents of which every term has to be defined. */
class References {
  lists = new Set();
  described = new Set();

  add(document) {
    items(document.credentialStatus).forEach(({statusListCredential}) => this.lists.add(statusListCredential));
    this.described.add(document.credentialSubject.achievement.id);
    if(!document.issuer.id.startsWith('did:key:')) {
      this.described.add(document.issuer.id);
    }
  }

  async check({documents, embedded, tokens, report, badges}) {
    let isThorough = true;
    for(const url of this.lists) {
      const bytes = Buffer.from(await documents.text(url, 'application/vc'));
      await badges.checkList({name: `status list ${url}`, form: 'json', bytes, isThorough});
      const other = await documents.text(url, 'application/vc+jwt');
      if(!other.startsWith('{')) {
        await badges.checkList({name: `status list ${url} as JWT`, form: 'jwt', bytes: Buffer.from(other), isThorough});
        await report.check(`status list ${url}: both forms say the same`, () => {
          tokens.requireSameContent(other, JSON.parse(bytes));
        });
      }
      isThorough = false;
    }
    for(const url of this.described) {
      await report.check(`${url}: every term is defined`, async () => {
        const document = await documents.find(url);
        ensure(document.id === url, `it calls itself ${document.id}`);
        await embedded.requireDefinedTerms(document);
      });
    }
  }
}

/** Every badge in each of its forms, and what they refer to. */
async function checkAll(house, listed, readBadge) {
  const references = new References();
  const thorough = new Set();
  const documents = new Map();
  for(const {url, form, state, verdict = state, identifier = 'https', algorithm = '', file} of listed) {
    const name = `${state} ${form} ${identifier} ${algorithm} ${url.slice(-12)}`;
    // One badge of each form, kind of issuer and algorithm is altered everywhere.
    const kind = `${form} ${form === 'png' || form === 'svg' ? '' : identifier} ${algorithm}`;
    const badge = await house.badges.check({
      name, form, bytes: await readBadge({url, form, file}), verdict, isThorough: !thorough.has(kind)
    });
    thorough.add(kind);
    if(badge && form === 'json') {
      documents.set(url, badge);
      references.add(badge);
      await house.report.check(`${name}: has the address as its id, and every term is defined`, async () => {
        ensure(badge.id === url, `it calls itself ${badge.id}`);
        await house.embedded.requireDefinedTerms(badge);
      });
    }
    if(badge && form === 'jwt') {
      await house.report.check(`${name}: says the same as the document`, () => {
        house.tokens.requireSameContent(badge, documents.get(url));
      });
    }
  }
  await references.check(house);
}

async function checkDemo(summaryFile, save) {
  const summary = JSON.parse(await readFile(summaryFile, 'utf8'));
  const source = new Host({baseUrl: summary.base_url, origin: summary.base_url, knowsMediaTypes: true});
  const house = await furnish(source);
  await mkdir(save, {recursive: true});
  await house.report.check('the demo names one active and one revoked badge', () => {
    const states = summary.awards.map(({state}) => state).sort().join(', ');
    ensure(states === 'active, revoked', `it names ${states || 'none'}`);
  });
  const listed = summary.awards.flatMap(({id, url, state}) =>
    Object.keys(FORMS).map(form => ({file: `${state}-${id}.${form}`, form, url, state, verdict: state})));
  await checkAll(house, listed, async ({url, form, file}) => {
    const bytes = await source.download(form === 'json' ? url : `${url}.${form}`, [FORMS[form]]);
    await writeFile(join(save, file), bytes);
    return bytes;
  });
  await writeFile(join(save, 'index.json'), `${JSON.stringify({base_url: summary.base_url, badges: listed}, null, 2)}\n`);
  return house.report;
}

async function checkFolder(folder, isLive) {
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
  const source = isLive
    ? new Host({baseUrl: index.base_url, origin: index.base_url, knowsMediaTypes: false})
    : new Folder(folder, index.documents);
  const house = await furnish(source);
  await house.report.check('the folder has badges', () => ensure(index.badges.length > 0, 'it has none'));
  await checkAll(house, index.badges, ({file}) => readFile(join(folder, file)));
  return house.report;
}

/** What is to be done, or `null` when the command line makes no sense. */
function readCommandLine() {
  try {
    const {values, positionals} = parseArgs({
      allowPositionals: true, options: {save: {type: 'string'}, live: {type: 'boolean', default: false}}
    });
    const [command, path, ...rest] = positionals;
    if(!path || rest.length > 0) {
      return null;
    }
    if(command === 'demo' && values.save && !values.live) {
      return () => checkDemo(path, values.save);
    }
    return command === 'folder' && !values.save ? () => checkFolder(path, values.live) : null;
  } catch {
    return null;
  }
}

const run = readCommandLine();
if(run) {
  const {passed, failed} = await run();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} else {
  console.error(USAGE);
  process.exitCode = 64;
}
