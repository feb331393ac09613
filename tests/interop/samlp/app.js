// npm samlp as the identity provider of one run of the tests, speaking as Entra ID does: `node app.js FOLDER`.
//
// It asks for no password: it signs in the person of FOLDER/settings.json, which is read again at each request.
'use strict';

const fs = require('fs');
const path = require('path');
const express = require('express');
const samlp = require('samlp');

const settings = () => JSON.parse(fs.readFileSync(path.join(process.argv[2], 'settings.json'), 'utf8'));

/** What samlp asks of a profile: the claims, and the NameID with its format. */
const profileMapper = (person) => ({
  getClaims: () => person.claims,
  getNameIdentifier: () => ({ nameIdentifier: person.name_id, nameIdentifierFormat: person.name_id_format }),
});

const app = express();

app.get('/metadata', (req, res, next) => {
  const { issuer, certificate } = settings();
  samlp.metadata({ issuer, cert: certificate, redirectEndpointPath: '/saml2' })(req, res, next);
});

app.get('/saml2', (req, res, next) => {
  const { issuer, certificate, key, person, acs_url: acs, habits } = settings();
  samlp.auth({
    issuer,
    cert: certificate,
    key,
    profileMapper,
    getUserFromRequest: () => person,
    getPostURL: (_audience, _request, _req, done) => done(null, acs),
    recipient: acs,
    // By default it names the audience.
    destination: acs,
    ...habits,
  })(req, res, next);
});

app.listen(settings().port, '127.0.0.1');
