// Badges out of images, by published readers of PNG and of XML (Open Badges 3.0, section 5.3).
import {DOMParser} from '@xmldom/xmldom';
import encodeChunks from 'png-chunks-encode';
import extractChunks from 'png-chunks-extract';

import {ensure} from './report.mjs';

const KEYWORD = 'openbadgecredential';
const NAMESPACE = 'https://purl.imsglobal.org/ob/v3p0';
const utf8 = bytes => new TextDecoder('utf-8', {fatal: true}).decode(bytes);

/** Whether a chunk holds a badge: an iTXt chunk of that keyword. */
function isBadge({name, data}) {
  return name === 'iTXt' && Buffer.from(data).subarray(0, KEYWORD.length + 1).equals(Buffer.from(`${KEYWORD}\0`));
}

/** The text of the one badge in a PNG image. The reader has compared the checksum of each chunk. */
export function unbakePng(bytes) {
  const found = extractChunks(bytes).filter(isBadge);
  ensure(found.length === 1, `${found.length} badges are in the image`);
  // PNG 3rd edition, 11.3.3.4: keyword, null, compression flag, compression method, language, null, translated keyword, null, text.
  const data = Buffer.from(found[0].data);
  const flag = data[KEYWORD.length + 1];
  ensure(flag === 0, 'the badge is compressed');
  let at = KEYWORD.length + 3;
  for(let skipped = 0; skipped < 2; skipped += 1) {
    const end = data.indexOf(0, at);
    ensure(end >= 0, 'the chunk ends early');
    at = end + 1;
  }
  return utf8(data.subarray(at));
}

/** The text of the one badge in an SVG image. */
export function unbakeSvg(bytes) {
  const onError = (level, message) => {
    throw new Error(`${level}: ${message}`);
  };
  const root = new DOMParser({onError}).parseFromString(utf8(bytes), 'image/svg+xml').documentElement;
  ensure(root.localName === 'svg', 'it is no SVG image');
  const found = root.getElementsByTagNameNS(NAMESPACE, 'credential');
  ensure(found.length === 1, `${found.length} badges are in the image`);
  ensure(found[0].parentNode === root, 'the badge is not directly in the image');
  return found[0].getAttribute('verify') || found[0].textContent.trim();
}

/** The image with its badge chunk changed, and the checksum made to fit. */
export function alterPng(bytes, change) {
  const chunks = extractChunks(bytes);
  const chunk = chunks.find(isBadge);
  chunk.data = change(Buffer.from(chunk.data));
  return Buffer.from(encodeChunks(chunks));
}

/** The image with the element of its badge changed. */
export function alterSvg(bytes, change) {
  const start = bytes.indexOf('<openbadges:credential');
  const closing = '</openbadges:credential>';
  const end = bytes.indexOf(closing) + closing.length;
  ensure(start > 0 && end > start, 'the image has no badge');
  return Buffer.concat([bytes.subarray(0, start), change(bytes.subarray(start, end)), bytes.subarray(end)]);
}
