// What was checked, what came of it, and the words for it.

/** Counts what held and what did not. */
export class Report {
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
export function explain(error) {
  const inner = [...(error?.errors ?? []), ...(error?.cause ? [error.cause] : [])];
  const details = error?.details ? ` ${JSON.stringify(error.details).slice(0, 2000)}` : '';
  return [`${error?.message ?? error}${details}`, ...inner.map(explain)].join(' / ');
}

export function ensure(condition, message) {
  if(!condition) {
    throw new Error(message);
  }
}

/** Sets are arrays, and one member may stand for itself. */
export function items(value) {
  if(value === undefined) {
    return [];
  }
  return Array.isArray(value) ? value : [value];
}
