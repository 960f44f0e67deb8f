/**
 * Where the metadata of an authorization server is.
 *
 * @module
 */

/**
 * In the order of the specification: RFC 8414 before OpenID Connect, inserted before appended.
 *
 * @param issuer The identifier of the authorization server.
 * @returns Where to look for its metadata; or `undefined` where the identifier is no URL, or has a query or a fragment.
 */
export function toMetadataUrls(issuer: string): readonly string[] | undefined {
  const url = URL.parse(issuer);
  if (url === null || url.search !== "" || issuer.includes("#")) return undefined;
  const path = url.pathname.replace(/\/$/, "");
  const { origin } = url;
  const inserted = ["oauth-authorization-server", "openid-configuration"].map((name) =>
    `${origin}/.well-known/${name}${path}`
  );
  return path === "" ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}
