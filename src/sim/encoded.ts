/** By object: what is stored is never changed in place, and goes to many. */
const texts = new WeakMap<object, string>()

/** Its JSON, made once. */
export function encoded(object: object): string {
  let text = texts.get(object)
  if (text === undefined) texts.set(object, (text = JSON.stringify(object)))
  return text
}
