/*
 * libtorrent TREE TORRENT PIECE-LENGTH THREADS: hashes a tree for a v2 torrent.
 *
 * The Python binding does the same, but cannot be told how many threads.
 */
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/settings_pack.hpp>

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	std::string const tree = argv[1];
	lt::file_storage files;
	lt::settings_pack settings;
	lt::error_code e;

	lt::add_files(files, tree);
	lt::create_torrent torrent(files, std::atoi(argv[3]), lt::create_torrent::v2_only);
	settings.set_int(lt::settings_pack::hashing_threads, std::atoi(argv[4]));
	lt::set_piece_hashes(torrent, tree.substr(0, tree.rfind('/')), settings,
			     [](lt::piece_index_t) {}, e);
	if (e) {
		std::cerr << e.message() << "\n";
		return 1;
	}
	std::ofstream out(argv[2], std::ios::binary);
	lt::bencode(std::ostream_iterator<char>(out), torrent.generate());
	return out.flush() ? 0 : 1;
}
