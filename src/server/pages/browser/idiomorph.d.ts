/** The package idiomorph, which /assets serves under this name. */
export { Idiomorph } from 'idiomorph';
