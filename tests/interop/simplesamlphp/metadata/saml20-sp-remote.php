<?php
// The services that it knows: our own metadata as its administrator imports it, and how it is told to answer each.

foreach (glob(getenv('INTEROP_FOLDER') . '/services/*.xml') as $document) {
    $service = SimpleSAML\Metadata\SAMLParser::parseFile($document)->getMetadata20SP();
    $habits = json_decode(file_get_contents(preg_replace('/xml$/', 'json', $document)), true);
    if (!empty($habits['assertion.encryption']) || !empty($habits['nameid.encryption'])) {
        // We publish no key for encryption: an administrator who wants to encrypt takes the one that signs.
        foreach ($service['keys'] as &$key) {
            $key['encryption'] = true;
        }
        unset($key);
    }
    $metadata[$service['entityid']] = array_merge($service, $habits);
}
