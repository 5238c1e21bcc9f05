// hnswlib as its C++ users call it: the honest peer, since its Python package can only filter through a Python function.
//
//   hnswlib_bench build VECTORS ROWS DIMENSION INDEX THREADS      prints {"build_seconds": ...}
//   hnswlib_bench serve INDEX DIMENSION QUERIES COUNT IDS          then one line in, one line out:
//       search k=10 ef=64 [filter=BITMAP]                          prints {"seconds": ..., "p50_us": ..., "p99_us": ...}
//
// VECTORS and QUERIES are rows of float32 of unit length. BITMAP holds a byte for each row: 1 is allowed. The numbers of
// the rows found go to IDS, COUNT x k int32, -1 where fewer were found.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hnswlib/hnswlib.h"

using Clock = std::chrono::steady_clock;

constexpr size_t LINKS = 16;
constexpr size_t EF_CONSTRUCTION = 200;

template <typename T>
std::vector<T> read_file(const std::string& path, size_t count) {
    std::vector<T> data(count);
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(data.data()), std::streamsize(count * sizeof(T)));
    if (!file) throw std::runtime_error("cannot read " + path);
    return data;
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

class Allowed : public hnswlib::BaseFilterFunctor {
public:
    explicit Allowed(const std::vector<uint8_t>& bitmap) : bitmap_(bitmap) {}
    bool operator()(hnswlib::labeltype id) override { return bitmap_[id] != 0; }

private:
    const std::vector<uint8_t>& bitmap_;
};

int build(char** arguments) {
    const size_t rows = std::stoul(arguments[1]), dimension = std::stoul(arguments[2]);
    const auto vectors = read_file<float>(arguments[0], rows * dimension);
    const size_t threads = std::stoul(arguments[4]);
    const auto start = Clock::now();
    hnswlib::InnerProductSpace space(dimension);
    hnswlib::HierarchicalNSW<float> index(&space, rows, LINKS, EF_CONSTRUCTION);
    index.addPoint(vectors.data(), 0);
    std::atomic<size_t> next{1};
    auto work = [&] {
        for (size_t row; (row = next++) < rows;) index.addPoint(vectors.data() + row * dimension, row);
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < threads; i++) others.emplace_back(work);
    work();
    for (auto& other : others) other.join();
    printf("{\"build_seconds\": %.4f}\n", seconds_since(start));
    index.saveIndex(arguments[3]);
    return 0;
}

struct Request {
    size_t k = 10, ef = 64;
    std::string filter;
};

Request parse(const std::string& line) {
    Request request;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        const auto equals = word.find('=');
        const auto key = word.substr(0, equals);
        const auto value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (key == "k") request.k = std::stoul(value);
        else if (key == "ef") request.ef = std::stoul(value);
        else if (key == "filter") request.filter = value;
        else if (key != "search") throw std::runtime_error("unknown word " + word);
    }
    return request;
}

int serve(char** arguments) {
    const size_t dimension = std::stoul(arguments[1]), count = std::stoul(arguments[3]);
    hnswlib::InnerProductSpace space(dimension);
    hnswlib::HierarchicalNSW<float> index(&space, arguments[0]);
    const auto queries = read_file<float>(arguments[2], count * dimension);
    for (std::string line; std::getline(std::cin, line);) {
        const Request request = parse(line);
        std::vector<uint8_t> bitmap;
        if (!request.filter.empty()) bitmap = read_file<uint8_t>(request.filter, index.cur_element_count);
        Allowed allowed(bitmap);
        index.setEf(request.ef);
        std::vector<int32_t> ids(count * request.k, -1);
        std::vector<double> times(count);
        const auto start = Clock::now();
        for (size_t query = 0; query < count; query++) {
            const auto begin = Clock::now();
            auto found = index.searchKnn(queries.data() + query * dimension, request.k,
                                         request.filter.empty() ? nullptr : &allowed);
            // The furthest is on top.
            for (size_t rank = found.size(); rank > 0; rank--, found.pop())
                ids[query * request.k + rank - 1] = int32_t(found.top().second);
            times[query] = seconds_since(begin) * 1e6;
        }
        const double seconds = seconds_since(start);
        std::ofstream(arguments[4], std::ios::binary)
            .write(reinterpret_cast<char*>(ids.data()), std::streamsize(ids.size() * sizeof(int32_t)));
        std::sort(times.begin(), times.end());
        printf("{\"seconds\": %.6f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n", seconds, times[count / 2],
               times[count * 99 / 100]);
        fflush(stdout);
    }
    return 0;
}

int main(int count, char** arguments) try {
    const std::string verb = count > 1 ? arguments[1] : "";
    if (verb == "build" && count == 7) return build(arguments + 2);
    if (verb == "serve" && count == 7) return serve(arguments + 2);
    fprintf(stderr, "usage: see the first lines of hnswlib_bench.cpp\n");
    return 2;
} catch (const std::exception& error) {
    fprintf(stderr, "hnswlib_bench: %s\n", error.what());
    return 1;
}
