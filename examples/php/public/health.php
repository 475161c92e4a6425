<?php
// A host whose sessions cannot be written would log everybody out.
if (!is_writable(session_save_path())) {
    http_response_code(503);
    exit('sessions cannot be written');
}
echo 'ok';
