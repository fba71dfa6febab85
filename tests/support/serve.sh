# shellcheck shell=bash
# Sourced after lib.sh: an nginx with the configuration of swarmexport's manual, on a free port.
#
#   serve_ready          whether nginx can be used, and its configuration was found
#   serve_start          starts it, also again, with the srv/headers.conf of now; sets $port
#   serve_stop
#   serve_log [PREFIX]   what was sent: METHOD URI STATUS BYTES ENCODING
#   serve_clear          forgets what was sent
#   serve_knows URI      whether who asked for it last had a dictionary for it
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
log_format held '$request_uri $http_available_dictionary';
access_log nginx/held.log held;
CONF
}

# By its own word, too: what answers may be another that has taken the port.
serve_answers() { [[ $(cat nginx/pid 2>/dev/null) == "$nginx" ]] && (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; }
serve_is_gone() { ! kill -0 "$nginx" 2>/dev/null; }

# until_true COMMAND...: for at most half a minute
until_true() {
    for _ in {1..600}; do
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
        rm -f nginx/pid
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

# nginx writes of a response once all of it has been sent, before it looks at the next request.
serve_settle() {
    local mark=/settled-$BASHPID-$RANDOM
    (exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET %s HTTP/1.0\r\n\r\n' "$mark" >&3 && cat <&3) >/dev/null || return
    until_true grep -qF " $mark " nginx/access.log
}
serve_log() {
    serve_settle
    grep -vF ' /settled-' nginx/access.log | grep -F " ${1:-/}" | sed 's/ -$//' | sort
}
serve_clear() {
    serve_settle
    : >nginx/access.log
}
serve_knows() {
    serve_settle
    [[ $(grep -F "$1 " nginx/held.log | tail -n 1) == "$1 :"* ]]
}
