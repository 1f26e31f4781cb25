// Where the verifying libraries get their documents: contexts from the pinned files of this project, everything else from the service, from a
// host of plain files, or from a folder. Nothing else on the network is ever asked.
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';

import {driver as didKeyDriver} from '@digitalbazaar/did-method-key';
import {driver as didWebDriver} from '@digitalbazaar/did-method-web';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';

const CONTEXTS = new URL('../../credential-schemas/contexts/', import.meta.url);
const MULTIKEY = 'https://w3id.org/security/multikey/v1';
const ED25519_HEADER = 'z6Mk';
const TIMEOUT_MS = 30_000;
/** What is asked for where JSON-LD is wanted; a status list is a credential. */
const LINKED_DATA = ['application/ld+json', 'application/vc'];

/** The contexts of the project by their address, each compared with its digest. */
export async function readContexts() {
  const contexts = new Map();
  const index = JSON.parse(await readFile(new URL('index.json', CONTEXTS), 'utf8'));
  for(const {url, file, sha256} of index) {
    const bytes = await readFile(new URL(file, CONTEXTS));
    const found = createHash('sha256').update(bytes).digest('hex');
    if(found !== sha256) {
      throw new Error(`${file} has the digest ${found}, not the pinned one`);
    }
    contexts.set(url, JSON.parse(bytes));
  }
  return contexts;
}

/**
 * Reads documents of `baseUrl` from `origin`, each once. A service answers with the media type that it was asked for; a host of plain files
 * knows of no media types, and may answer with another form of the document than the wanted one.
 */
export class Host {
  #documents = new Map();

  constructor({baseUrl, origin, knowsMediaTypes}) {
    this.baseUrl = baseUrl;
    this.origin = origin;
    this.knowsMediaTypes = knowsMediaTypes;
  }

  /** The bytes of a public document, asked for as one of these media types. */
  async download(url, mediaTypes) {
    const name = `${mediaTypes} ${url}`;
    if(!this.#documents.has(name)) {
      this.#documents.set(name, await this.#request(url, mediaTypes));
    }
    return this.#documents.get(name);
  }

  async #request(url, mediaTypes) {
    if(!url.startsWith(`${this.baseUrl}/`)) {
      throw new Error(`${url} is not a document of ${this.baseUrl}`);
    }
    const response = await fetch(this.origin + url.slice(this.baseUrl.length), {
      headers: {accept: mediaTypes.join(', ')},
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS)
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    if(response.status !== 200) {
      throw new Error(`${url} answers ${response.status}: ${bytes.subarray(0, 300)}`);
    }
    const found = (response.headers.get('content-type') ?? '').split(';')[0].trim();
    if(this.knowsMediaTypes && !mediaTypes.includes(found)) {
      throw new Error(`${url} was asked for as ${mediaTypes} and came as ${found}`);
    }
    return bytes;
  }
}

/** Documents that were kept in a folder, as its index names them. */
export class Folder {
  constructor(path, documents) {
    this.path = path;
    this.documents = documents;
  }

  async download(url, mediaTypes) {
    const found = this.documents.find(document => document.url === url && mediaTypes.includes(document.media_type));
    if(!found) {
      throw new Error(`there is no ${url} as ${mediaTypes}`);
    }
    return readFile(join(this.path, found.file));
  }
}

/** Documents by their address, identifiers of issuers included. */
export class Documents {
  #didKey = didKeyDriver();
  #didWeb;

  constructor({contexts, source}) {
    this.contexts = contexts;
    this.source = source;
    this.#didKey.use({
      multibaseMultikeyHeader: ED25519_HEADER, fromMultibase: Ed25519Multikey.from
    });
    // The published resolver, which turns the identifier into an https address; who answers at that address is ours to say.
    this.#didWeb = didWebDriver({fetchOptions: {retry: 0, fetch: async request => {
      const bytes = await source.download(request.url, ['application/did+json']);
      return new Response(bytes, {headers: {'content-type': 'application/did+json'}});
    }}});
  }

  async text(url, ...mediaTypes) {
    const bytes = await this.source.download(url, mediaTypes);
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  }

  /** The document that controls keys: an issuer's profile or DID document. */
  async controller(id) {
    const document = await this.#resolve(id);
    if(document.id !== id) {
      throw new Error(`${id} serves the document of ${document.id}`);
    }
    return document;
  }

  async #resolve(url) {
    if(url.startsWith('did:key:')) {
      return this.#didKey.get({url});
    }
    if(url.startsWith('did:web:')) {
      return this.#didWeb.get({url});
    }
    return JSON.parse(await this.text(url, ...LINKED_DATA));
  }

  /** Any document that JSON-LD or a proof refers to. */
  async find(url) {
    const context = this.contexts.get(url);
    if(context) {
      return context;
    }
    const [address, fragment] = url.split('#');
    if(fragment === undefined || address.startsWith('did:')) {
      return this.#resolve(url);
    }
    // Controlled Identifiers 1.0, 3.4: a fragment names a verification method inside of its controller's document.
    const {verificationMethod = []} = await this.controller(address);
    const method = verificationMethod.find(({id}) => id === url);
    if(!method) {
      throw new Error(`${address} has no verification method ${url}`);
    }
    return {'@context': MULTIKEY, ...method};
  }

  /** A document loader in the form that the libraries want. */
  get loader() {
    return async url => ({contextUrl: null, documentUrl: url, document: await this.find(url)});
  }
}
