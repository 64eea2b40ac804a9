// The npm package oidc-provider as Microsoft Entra ID's token endpoint, with one client that knows a secret or, when a
// public key (JWK) is given, a key. Arguments: folder of node_modules, tenant, client, scope, secret, [JWK].
import http from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, tenant, client, scope, secret, key] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const proof = key
  ? { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'RS256', jwks: { keys: [JSON.parse(key)] } }
  : { token_endpoint_auth_method: 'client_secret_post', client_secret: secret };
const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(address, {
    clients: [{ client_id: client, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], ...proof }],
    scopes: [scope],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    routes: { token: `/${tenant}/oauth2/v2.0/token` },
  });
  provider.on('grant.error', (_, error) => console.error(error.message, error.error_detail ?? ''));
  server.on('request', provider.callback());
  console.log(address);
});
