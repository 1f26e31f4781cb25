// Badges with something changed, all of which have to be refused.

/** Every string inside of a value, as a path. */
export function strings(value, path = []) {
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
export function alterString(document, path) {
  const copy = structuredClone(document);
  const parent = path.slice(0, -1).reduce((value, key) => value[key], copy);
  const key = path.at(-1);
  parent[key] = alterText(parent[key]);
  return copy;
}

/** At most so many of the values, from the first to the last at even distances. */
export function spread(values, most) {
  if(values.length <= most) {
    return values;
  }
  return Array.from({length: most}, (_, number) => values[Math.floor(number * (values.length - 1) / (most - 1))]);
}

/** So many numbers below a length. */
export function positions(length, most) {
  return spread(Array.from({length}, (_, position) => position), most);
}

/** A copy in which one bit of one byte is another. */
export function flip(bytes, position) {
  const copy = Buffer.from(bytes);
  copy[position] ^= 1;
  return copy;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Copies of a token with one character changed, so many in each of its three parts, the ends included. The change is of the highest bit
 * of a character, since the lowest ones of a part's last character can be padding, which stands for no byte.
 */
export function alterToken(token, most) {
  const altered = [];
  let start = 0;
  for(const part of token.split('.')) {
    for(const position of positions(part.length, most)) {
      const at = start + position;
      const other = BASE64URL[BASE64URL.indexOf(token[at]) ^ 32];
      altered.push({at, token: token.slice(0, at) + other + token.slice(at + 1)});
    }
    start += part.length + 1;
  }
  return altered;
}
