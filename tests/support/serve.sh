# shellcheck shell=bash
# Sourced after lib.sh: an nginx with the configuration of swarmexport's manual, on a free port.
#
#   serve_ready          whether nginx can be used, and its configuration was found
#   serve_start          starts it, also again, with the srv/headers.conf of now; sets $port
#   serve_stop
#   serve_log [PREFIX]   what was sent: METHOD URI STATUS BYTES ENCODING
#   serve_clear          forgets what was sent
#
# The manual's /srv/farm is $T/srv here. Its text is changed in nothing else but the port, and where
# logs and temporary files go.

PATH=$PATH:/usr/sbin
nginx=
port=
# shellcheck disable=SC2154 # the trap itself sets it
trap 'ended=$?; [[ ! $nginx ]] || kill -9 $nginx 2>/dev/null; (exit $ended); tap_end' EXIT

# The display that follows the mark in the page.
serve_text() {
    awk '/^\.\\" nginx: the server/ { mark = 1 } mark && /^\.Ed/ { exit } on { print } mark && /^\.Bd/ { on = 1 }' \
        "$ROOT/man/swarmexport.1" | sed 's/\\e/\\/g'
}

serve_ready() {
    mkdir -p nginx srv/www srv/payloads
    serve_text >manual.conf
    [[ $(grep -c . manual.conf) -gt 20 ]] || return
    cat >extra.conf <<'CONF'
client_body_temp_path nginx/body;
proxy_temp_path nginx/proxy;
fastcgi_temp_path nginx/fastcgi;
uwsgi_temp_path nginx/uwsgi;
scgi_temp_path nginx/scgi;
log_format wire '$request_method $request_uri $status $body_bytes_sent $sent_http_content_encoding';
access_log nginx/access.log wire;
CONF
}

serve_answers() { (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; }
serve_is_gone() { ! kill -0 "$nginx" 2>/dev/null; }

# until_true COMMAND...: for at most ten seconds
until_true() {
    for _ in {1..200}; do
        ! "$@" || return 0
        sleep 0.05
    done
    return 1
}

serve_start() {
    local try
    for try in {1..5}; do
        if [[ ! $port || $try -gt 2 ]]; then
            port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        fi
        sed -e "s|/srv/farm|$T/srv|" -e "s|listen 80;|listen 127.0.0.1:$port;|" \
            -e "s|^http {|&\n    include $T/extra.conf;|" manual.conf >nginx.conf
        nginx -p "$T" -c nginx.conf -e nginx/error.log \
            -g 'daemon off; master_process off; pid nginx/pid; error_log nginx/error.log;' 2>>nginx/said &
        nginx=$!
        until_true serve_answers_or_is_gone
        ! serve_answers || serve_is_gone || return 0
        kill -9 $nginx 2>/dev/null
    done
    note nginx "$(cat nginx/said nginx/error.log)"
    return 1
}
serve_answers_or_is_gone() { serve_answers || serve_is_gone; }

# One signal is not enough: without a master process, one that comes just before nginx waits for
# events is only seen after the next event.
serve_ended() {
    kill -TERM "$nginx" 2>/dev/null
    serve_is_gone
}
serve_stop() {
    until_true serve_ended || kill -9 "$nginx" 2>/dev/null
    nginx=
}

serve_log() { grep -F " ${1:-/}" nginx/access.log | sed 's/ -$//' | sort; }
serve_clear() { : >nginx/access.log; }
