/**
 * Azure's clients ask at /openai/v1/… (the v1 surface) or at /openai/… with an api-version. Ours is one surface, without
 * versions.
 */
export function asOwnPath(url: string): string {
  const [path = '', query] = url.split('?');
  const own = path.replace(/^\/openai\/v1\//, '/v1/').replace(/^\/openai\//, '/v1/');
  const rest = (query ?? '').split('&').filter(part => part !== '' && !part.startsWith('api-version='));
  return rest.length > 0 ? `${own}?${rest.join('&')}` : own;
}
