# shellcheck shell=bash
# Sourced after lib.sh: two releases that differ in every way in which releases can, in the working
# directory.
#
#   v1/ v2/             the trees as they are released
#   1.manifest 1.head 2.manifest 2.head
#   payloads/ solid     what leads from one to the other, as well as v2/ itself
#   1-2.delta           signed
#   PATCH               an array: swarmpatch with all that it always needs

# shellcheck disable=SC2154 # of lib.sh
KEY=$tap_base/release.key
cp "$SRC/keys/release.key" "$KEY"
chmod 600 "$KEY"
cp "$SRC/keys/release.pub" .

# noise SEED BYTES: the same bytes each time
noise() { openssl enc -aes-128-ctr -K "$(printf %032x "$1")" -iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null | head -c "$2"; }

# release N TREE [SERIAL [RULES]]: N.manifest and N.head
release() {
    swarmpack "$2" -r "${4:-rules.yaml}" -q -o "$1.inventory" &&
        swarmsign "$1.inventory" -k "$KEY" --product game --release "$1.0" --serial "${3:-$1}" \
            -q -o "$1.manifest" --head "$1.head"
}

# delta FROM TO [OPTION...]: FROM-TO.delta
delta() {
    swarmdiff "$1.manifest" "$2.manifest" -q "${@:3}" | swarmsign - -k "$KEY" -q -o "$1-$2.delta"
}

cat >rules.yaml <<'END'
swarm: rules/1
disable-guards: ["*"]
rules:
  - label: public
    match: "*"
  - label: origin
    match: "*.secret"
END

mkdir -p v1/{kept,deep/er/still,folder-to-file/below,gone/all} &&
    noise 1 60000 >v1/kept/large && echo token >v1/kept/a.secret && echo small >v1/kept/small && : >v1/kept/empty &&
    noise 2 90000 >v1/changed && noise 3 50000 >v1/deep/er/still/changed &&
    echo 1 >v1/folder-to-file/a && echo 2 >v1/folder-to-file/below/b &&
    noise 4 3000 >v1/file-to-folder && noise 5 40000 >v1/gone/old-name &&
    echo 3 >v1/gone/all/1 && echo 4 >v1/gone/all/2 && echo run >v1/tool && echo text >v1/script &&
    : >v1/was-empty && noise 6 500 >v1/becomes-empty && chmod 755 v1/tool || exit
cp -a v1 v2 && cd v2 &&
    { head -c 40000 ../v1/changed && echo inserted && tail -c 45000 ../v1/changed; } >changed &&
    { noise 7 100 && cat ../v1/deep/er/still/changed; } >deep/er/still/changed &&
    rm -r folder-to-file file-to-folder gone && noise 8 700 >folder-to-file &&
    mkdir -p file-to-folder/deep && noise 4 2000 >file-to-folder/deep/a && echo 5 >file-to-folder/b &&
    mkdir renamed && cp ../v1/gone/old-name renamed/new-name && cp kept/large renamed/copy &&
    chmod 644 tool && chmod 755 script && echo filled >was-empty && : >becomes-empty &&
    seq 30000 | head -c 120000 >new && mkdir -p brand/new && echo 6 >brand/new/file && cd .. || exit
# Only what the manifest says of it changes.
sed '$a\  - {label: public, match: kept/small, cache: no-cache}' rules.yaml >new-rules.yaml
release 1 v1 && release 2 v2 2 new-rules.yaml &&
    delta 1 2 --old-tree v1 --new-tree v2 --payloads payloads --solid solid || exit

# shellcheck disable=SC2034 # for those who source it
PATCH=(swarmpatch 1-2.delta --old-manifest 1.manifest --head 2.head --trust release.pub)
