<?php
// Who can sign in: {"login:password": {attribute: [value, …]}, …}.

$people = json_decode(file_get_contents(getenv('INTEROP_FOLDER') . '/people.json'), true);
$config = ['people' => ['exampleauth:UserPass'] + $people];
