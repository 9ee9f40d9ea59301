/** That of package.json; a test compares them. An import of it would not be found where the built library lies. */
export const VERSION = '0.1.0'
