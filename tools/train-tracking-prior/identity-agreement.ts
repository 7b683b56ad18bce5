// How far pictures of one person agree on the identity: what one of them errs by, the next errs by in part. Says how much
// surer several pictures together are than one.

/** No two pictures agree less or more than this: coefficients that hardly show are mostly noise. */
const AGREEMENT = { least: 0.1, most: 1 };

/**
 * The correlation of each coefficient between two pictures of one person; coefficients are 0 on the mean of all people.
 * @param people whom each picture shows
 * @param found what each picture says of the coefficients
 */
export function identityAgreement(people: readonly number[], found: readonly Float32Array[]): Float32Array {
  const byPerson = new Map<number, Float32Array[]>();
  for (const [i, person] of people.entries()) {
    byPerson.set(person, [...(byPerson.get(person) ?? []), found[i]!]);
  }
  const several = [...byPerson.values()].filter((pictures) => pictures.length > 1);
  return found[0]!.map((_, k) => {
    let [between, own] = [0, 0];
    for (const pictures of several) {
      const count = pictures.length;
      const sum = pictures.reduce((total, values) => total + values[k]!, 0);
      const squares = pictures.reduce((total, values) => total + values[k]! ** 2, 0);
      // The mean product of two different pictures.
      between += (sum * sum - squares) / (count * (count - 1));
      own += squares / count;
    }
    return Math.min(AGREEMENT.most, Math.max(AGREEMENT.least, between / own));
  });
}
