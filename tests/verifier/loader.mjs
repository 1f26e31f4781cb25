// Where the verifying library gets its documents: contexts from the pinned files of this project, everything else
// from the service. Nothing else on the network is ever asked.
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';

const CONTEXTS = new URL('../../credential-schemas/contexts/', import.meta.url);
const MULTIKEY = 'https://w3id.org/security/multikey/v1';
const TIMEOUT_MS = 30_000;

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

/** Reads documents of `baseUrl` from `origin`. */
export class Service {
  constructor({baseUrl, origin}) {
    this.baseUrl = baseUrl;
    this.origin = origin;
    this.documents = new Map();
  }

  isOwn(url) {
    return url === this.baseUrl || url.startsWith(`${this.baseUrl}/`);
  }

  /** The text of a public document, asked for as one media type, which the answer must have. It is asked for once. */
  async download(url, mediaType) {
    const name = `${mediaType} ${url}`;
    if(!this.documents.has(name)) {
      this.documents.set(name, await this.#request(url, mediaType));
    }
    return this.documents.get(name);
  }

  async #request(url, mediaType) {
    if(!this.isOwn(url)) {
      throw new Error(`${url} is not a document of ${this.baseUrl}`);
    }
    const response = await fetch(this.origin + url.slice(this.baseUrl.length), {
      headers: {accept: mediaType},
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS)
    });
    const text = await response.text();
    if(response.status !== 200) {
      throw new Error(`${url} answers ${response.status}: ${text.slice(0, 300)}`);
    }
    const found = (response.headers.get('content-type') ?? '').split(';')[0].trim();
    if(found !== mediaType) {
      throw new Error(`${url} was asked for as ${mediaType} and came as ${found}`);
    }
    return text;
  }
}

/** A document loader in the form that the library wants. */
export function documentLoader({contexts, service}) {
  const answer = (documentUrl, document) => ({contextUrl: null, documentUrl, document});
  return async url => {
    const context = contexts.get(url);
    if(context) {
      return answer(url, context);
    }
    const [address, fragment] = url.split('#');
    const document = JSON.parse(await service.download(address, 'application/ld+json'));
    if(fragment === undefined) {
      return answer(url, document);
    }
    // Controlled Identifiers 1.0, 3.4: a fragment names a verification method inside of its controller's document.
    if(document.id !== address) {
      throw new Error(`${address} serves the document of ${document.id}`);
    }
    const method = (document.verificationMethod ?? []).find(({id}) => id === url);
    if(!method) {
      throw new Error(`${address} has no verification method ${url}`);
    }
    return answer(url, {'@context': MULTIKEY, ...method});
  };
}
