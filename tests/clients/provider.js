// A school's provider of accounts, for tests: prints its address. POST /people tells it what it says of somebody, as
// claims in JSON; whoever writes the `sub` as the name signs in as that person.
import http from 'node:http';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

const [origin] = process.argv.slice(2); // where the tested server is
const server = http.createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const client = (id) => ({
  client_id: id,
  client_secret: 'a secret of the tests',
  redirect_uris: [`${origin}/app/sign-in/school/back`],
  post_logout_redirect_uris: [`${origin}/app/sign-in`],
  token_endpoint_auth_method: 'client_secret_post',
});

const people = new Map();
const provider = new Provider(issuer, {
  clients: [client('school'), client('late')],
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'given_name', 'family_name', 'groups', 'realm_access'],
  },
  pkce: { required: () => true },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => people.get(id) }),
});
// The codes of one client are gone before they are asked for.
provider.on('authorization_code.saved', (code) => {
  if (code.clientId === 'late') provider.AuthorizationCode.adapter.destroy(code.jti);
});
const answer = provider.callback();
server.on('request', async (request, response) => {
  if (request.url !== '/people') return answer(request, response);
  const claims = JSON.parse(await text(request));
  people.set(claims.sub, claims);
  response.end();
});
console.log(issuer);
