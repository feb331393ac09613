<?php
// The identity provider itself. Requests and logouts must be signed, as at a strict partner's.

$settings = json_decode(file_get_contents(getenv('INTEROP_FOLDER') . '/settings.json'), true);

$metadata[$settings['entity_id']] = $settings['hosted'] + [
    'host' => '__DEFAULT__',
    'auth' => 'people',
    'userid.attribute' => 'uid',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
    'validate.authnrequest' => true,
    'sign.logout' => true,
    'validate.logout' => true,
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
];
