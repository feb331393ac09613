<?php
// SimpleSAMLphp as the identity provider of one run of the tests: whatever changes lies in the run's own folder.

$folder = getenv('INTEROP_FOLDER');
$settings = json_decode(file_get_contents("$folder/settings.json"), true);

$config = [
    'baseurlpath' => $settings['address'] . '/',
    'secretsalt' => $settings['salt'],
    'auth.adminpassword' => $settings['salt'],
    'technicalcontact_email' => 'na@example.org',
    'timezone' => 'UTC',

    'certdir' => "$folder/keys/",
    'datadir' => "$folder/data/",
    'tempdir' => "$folder/tmp/",
    'loggingdir' => "$folder/",
    'metadatadir' => dirname(__DIR__) . '/metadata/',
    'attributenamemapdir' => $settings['attribute_maps'] . '/',

    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'saml' => true, 'exampleauth' => true],
    'metadata.sources' => [['type' => 'flatfile']],
    // Where its logout may lead back to.
    'trusted.url.domains' => ['localhost:\d+'],
    'trusted.url.regex' => true,

    'showerrors' => true,
    // The release of Debian is older than its PHP: notices of what will go one day are no faults.
    'errorreporting' => false,
    'logging.level' => SimpleSAML\Logger::INFO,
    'logging.handler' => 'file',
    'logging.logfile' => 'simplesamlphp.log',

    // Plain http on loopback: a cookie that asked for https would not be kept.
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,
    'store.type' => 'phpsession',
    'session.phpsession.savepath' => "$folder/sessions",

    'language.available' => ['en'],
    'language.default' => 'en',
];
