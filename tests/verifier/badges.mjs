// What has to hold for a badge, in each of its forms.
import {alterString, alterToken, flip, positions, spread, strings} from './alter.mjs';
import {alterPng, alterSvg, unbakePng, unbakeSvg} from './images.mjs';
import {WORDS} from './embedded.mjs';
import {ensure, explain} from './report.mjs';

/** How many places of a badge are altered, besides those of the badges that are altered everywhere. */
const MOST_STRINGS = 6;
const MOST_BYTES = 10;
const MOST_IN_TOKEN = 20;
const HOUR_MS = 3_600_000;

const UNBAKE = {png: unbakePng, svg: unbakeSvg};
const ALTER = {json: (bytes, change) => change(bytes), png: alterPng, svg: alterSvg};

/** The two libraries, and which of them a badge is for. */
export class Badges {
  constructor({report, embedded, tokens}) {
    this.report = report;
    this.embedded = embedded;
    this.tokens = tokens;
  }

  /** What is in a file: a token, or a document, out of its image if it is in one. */
  read(form, bytes) {
    const text = UNBAKE[form]?.(bytes) ?? new TextDecoder('utf-8', {fatal: true}).decode(bytes);
    return form === 'jwt' ? text : JSON.parse(text);
  }

  /** Signed by its issuer and in force at that time; throws if not. */
  async requireProof(form, badge, now) {
    if(form === 'jwt') {
      return this.tokens.requireProof(badge, now);
    }
    await this.embedded.requireProof(badge, now);
    return badge;
  }

  /** The state of a badge by its own proof, its validity period and its status. Throws when the proof does not hold. */
  async judge(form, badge) {
    let credential;
    let isExpired = false;
    try {
      credential = await this.requireProof(form, badge, new Date());
    } catch(error) {
      // Only time may be what is wrong with it: it has to hold at its last hour.
      const last = this.lastHour(form, badge);
      ensure(last && last < new Date(), explain(error));
      credential = await this.requireProof(form, badge, last);
      isExpired = true;
    }
    const library = form === 'jwt' ? this.tokens : this.embedded;
    const statuses = await library.statuses(credential);
    const words = statuses.filter(({isSet}) => isSet).map(({purpose}) => WORDS[purpose] ?? purpose);
    const isAccepted = await library.isAccepted(badge);
    ensure(isAccepted === (words.length === 0 && !isExpired), 'the library as a whole comes to another verdict');
    return words[0] ?? (isExpired ? 'expired' : 'active');
  }

  /** The last hour of a badge that ends. */
  lastHour(form, badge) {
    const {validUntil} = form === 'jwt' ? JSON.parse(Buffer.from(badge.split('.')[1], 'base64url')) : badge;
    return validUntil && new Date(Date.parse(validUntil) - HOUR_MS);
  }

  /** Refused, whatever time it is and whatever its status. */
  async requireRefused(form, bytes, now, what) {
    let badge;
    try {
      badge = this.read(form, bytes);
      await this.requireProof(form, badge, now);
    } catch(error) {
      return explain(error);
    }
    throw new Error(`${what}: it was accepted`);
  }

  /** The verdict is the expected one, and nothing in the badge can be changed. */
  async check({name, form, bytes, verdict, isThorough}) {
    let badge;
    await this.report.check(`${name}: ${verdict}`, async () => {
      badge = this.read(form, bytes);
      const found = await this.judge(form, badge);
      ensure(found === verdict, `it was found ${found}`);
    });
    if(badge === undefined) {
      return null;
    }
    await this.#checkAltered({name, form, bytes, badge, isThorough});
    return badge;
  }

  /** The same for a status list, which is a credential without a status of its own. */
  async checkList({name, form, bytes, isThorough}) {
    const list = this.read(form, bytes);
    await this.report.check(`${name}: has a proof that holds`, async () => {
      await this.requireProof(form, list, new Date());
    });
    await this.#checkAltered({name, form, bytes, badge: list, isThorough});
  }

  async #checkAltered({name, form, bytes, badge, isThorough}) {
    const now = this.lastHour(form, badge) ?? new Date();
    if(form === 'jwt') {
      await this.#checkToken(name, badge, now, isThorough);
      return;
    }
    if(form === 'json') {
      await this.#checkStrings(name, badge, now, isThorough);
    }
    await this.#checkBytes(name, form, bytes, now, isThorough);
  }

  async #checkToken(name, token, now, isThorough) {
    const altered = alterToken(token, isThorough ? 4 * MOST_IN_TOKEN : MOST_IN_TOKEN);
    await this.report.check(`${name}: refused with one of ${altered.length} characters changed`, async () => {
      for(const {at, token} of altered) {
        await this.requireRefused('jwt', Buffer.from(token), now, `character ${at}`);
      }
    });
  }

  async #checkStrings(name, document, now, isThorough) {
    const all = strings(document);
    const paths = isThorough ? all : spread(all, MOST_STRINGS);
    await this.report.check(`${name}: refused with a character of one of ${paths.length} texts changed`, async () => {
      ensure(all.length > 10, 'there are hardly any texts');
      for(const path of paths) {
        const bytes = Buffer.from(JSON.stringify(alterString(document, path)));
        await this.requireRefused('json', bytes, now, `/${path.join('/')}`);
      }
    });
    await this.report.check(`${name}: refused with another title, because of the signature`, async () => {
      const altered = alterString(document, document.credentialSubject.achievement
        ? ['credentialSubject', 'achievement', 'name'] : ['credentialSubject', 'encodedList']);
      const reason = await this.requireRefused('json', Buffer.from(JSON.stringify(altered)), now, 'the title');
      ensure(reason.includes('Invalid signature'), `it was refused for another reason: ${reason}`);
    });
  }

  async #checkBytes(name, form, bytes, now, isThorough) {
    const most = isThorough ? 4 * MOST_BYTES : MOST_BYTES;
    await this.report.check(`${name}: refused with one of ${most} bytes changed`, async () => {
      let length;
      ALTER[form](bytes, inside => {
        length = inside.length;
        return inside;
      });
      for(const position of positions(length, most)) {
        const altered = ALTER[form](bytes, inside => flip(inside, position));
        await this.requireRefused(form, altered, now, `byte ${position} of ${length}`);
      }
    });
  }
}
