/**
 * A request's URL, decoded once and written anew, so that the URL which is checked, routed and passed on to the provider is one
 * value. Azure's clients ask at /openai/v1/… or at /openai/… with an api-version; both become /v1/… here. A URL that cannot be
 * decoded stays unchanged, and the router refuses it.
 */
export function ownUrl(url: string): string {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const own = writtenAnew(path)
    .replace(/^\/openai\/v1\//, '/v1/')
    .replace(/^\/openai\//, '/v1/');
  const rest = query.split('&').filter(part => part !== '' && !part.startsWith('api-version='));
  return rest.length > 0 ? `${own}?${rest.join('&')}` : own;
}

function writtenAnew(path: string): string {
  try {
    return path.split('/').map(decodeURIComponent).map(encodePart).join('/');
  } catch {
    return path;
  }
}

/** Like encodeURIComponent, but keeps the characters that a path may have (RFC 3986, section 3.3). */
function encodePart(part: string): string {
  return encodeURIComponent(part).replaceAll('%3A', ':').replaceAll('%40', '@').replaceAll('%2C', ',');
}
