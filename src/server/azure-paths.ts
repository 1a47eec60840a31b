/**
 * Azure's clients ask at /openai/v1/… (the v1 surface) or at /openai/… with an api-version. Ours is one surface, without
 * versions.
 */
export function asOwnPath(url: string): string {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const own = path.replace(/^\/openai\/v1\//, '/v1/').replace(/^\/openai\//, '/v1/');
  const rest = query.split('&').filter(part => part !== '' && !part.startsWith('api-version='));
  return rest.length > 0 ? `${own}?${rest.join('&')}` : own;
}
