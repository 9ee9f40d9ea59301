/** `EXPLORE=deep npm run explore`: worlds that take an hour as well. */
export const isDeep = process.env['EXPLORE'] === 'deep'
