class Vmcore < Formula
  desc "Look into crash dumps of FreeBSD kernels on any host"
  # homepage, url and sha256 are those of the published release.
  homepage "https://example.org/vmcore"
  url "https://example.org/vmcore-0.2.0.tar.xz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "BSD-2-Clause"

  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "jansson"
  depends_on "libelf"
  depends_on "lz4"
  depends_on "openssl@3"
  depends_on "xz"
  depends_on "zstd"

  uses_from_macos "python" => :build
  uses_from_macos "bzip2"
  uses_from_macos "zlib"

  def install
    system "meson", "setup", "build", "-Dtests=disabled", "-Dkernel=disabled",
           *std_meson_args
    system "meson", "compile", "-C", "build"
    system "meson", "install", "-C", "build"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/vmcore --version")
  end
end
