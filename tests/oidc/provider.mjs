// An OpenID Connect provider for the tests: somebody else's, certified, told whom it knows.
//
// node provider.mjs PORT CONFIGURATION: the configuration is JSON {clients, jwks, people,
// inIdToken}. A person signs in by their name and any password.
import Provider from "oidc-provider";

const [port, text] = process.argv.slice(2);
const given = JSON.parse(text);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: given.clients,
  jwks: given.jwks,
  claims: {
    openid: ["sub"],
    profile: ["preferred_username", "roles", "practices", "realm_access"],
  },
  conformIdTokenClaims: !given.inIdToken,
  cookies: { keys: ["of the tests alone"] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  pkce: { required: () => true },
  async findAccount(_, id) {
    const claims = given.people[id];
    return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
  },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
