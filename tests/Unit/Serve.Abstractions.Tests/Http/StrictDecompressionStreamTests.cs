using System.IO.Compression;
using Serve.Http;

namespace Serve.Abstractions.Tests.Http;

public sealed class StrictDecompressionStreamTests
{
    // Larger than what .NET's readers take at a time; the half that is random is stored as it is, the other half made smaller.
    private static readonly byte[] Data = [.. Bytes(12_000), .. Enumerable.Range(0, 12_000).Select(each => (byte)(each / 100))];

    public static TheoryData<string, bool, int> Ways => new()
    {
        { "gzip", false, 1000 }, { "gzip", true, 1000 }, { "gzip", true, 1 }, { "gzip", true, int.MaxValue },
        { "deflate", false, 1000 }, { "deflate", true, 1000 }, { "deflate", true, 1 }, { "deflate", true, int.MaxValue },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Read_WholeData_AreWhatTheyWere(string coding, bool isAsync, int piece)
    {
        foreach (var data in new[] { Data, Data[..1], Data[..8192] })
            Assert.Equal(data, await ReadAsync(Compress(data, coding), coding, isAsync, piece));
    }

    // Every length of a truncated small body; for a large body, the lengths next to its end and to the ends of the read buffer.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Read_DataThatWereCut_SaysHowManyBytesCame(string coding, bool isAsync, int piece)
    {
        var (small, large) = (Compress([1, 2, 3, 4, 5], coding), Compress(Data, coding));
        await AreRefusedAsync(small, Enumerable.Range(0, small.Length));
        await AreRefusedAsync(large, [.. Enumerable.Range(8190, 5), .. Enumerable.Range(large.Length - 30, 30)]);

        async Task AreRefusedAsync(byte[] whole, IEnumerable<int> lengths)
        {
            foreach (var length in lengths)
            {
                var error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(whole[..length], coding, isAsync, piece));
                Assert.Equal($"{length} bytes came, and the compressed data do not end with them.", error.Message);
            }
        }
    }

    // Data returned to a reader that requests more must not hide the missing rest.
    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Read_TheLastByteIsMissing_IsNoticedWhateverItIs(string coding)
    {
        for (var value = 0; value < 512; value++)
        {
            var whole = Compress([(byte)value, (byte)(value >> 8)], coding);
            await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(whole[..^1], coding, isAsync: true, int.MaxValue));
        }
    }

    [Fact]
    public async Task Gzip_SeveralMembers_AreRead_AndTheLastMustBeWhole()
    {
        byte[] two = [.. Compress([1, 2, 3], "gzip"), .. Compress([4, 5], "gzip")];
        Assert.Equal([1, 2, 3, 4, 5], await ReadAsync(two, "gzip", isAsync: true, piece: 7));
        for (var missing = 1; missing < Compress([4, 5], "gzip").Length; missing++)
            await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(two[..^missing], "gzip", isAsync: true, piece: 7));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Read_DataThatAreBroken_AreNotCalledCut(string coding)
    {
        var broken = Compress(Data, coding);
        broken[^1] ^= 1;
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(broken, coding, isAsync: true, piece: 1000));
        Assert.DoesNotContain("bytes came", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dispose_LeavesWhatItReadFromOpen()
    {
        using var compressed = new MemoryStream(Compress([1], "gzip"));
        StrictDecompressionStream.Gzip(compressed).Dispose();
        Assert.Equal(0x1f, compressed.ReadByte());
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Compress(byte[] data, string coding)
    {
        using var compressed = new MemoryStream();
        using (Stream stream = coding == "gzip" ? new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true) : new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            stream.Write(data);
        return compressed.ToArray();
    }

    private static async Task<byte[]> ReadAsync(byte[] compressed, string coding, bool isAsync, int piece)
    {
        using var pieces = new ChunkedReadStream(compressed, piece);
        using var stream = coding == "gzip" ? StrictDecompressionStream.Gzip(pieces) : StrictDecompressionStream.Zlib(pieces);
        var (all, part) = (new MemoryStream(), new byte[999]);
        while (true)
        {
            var read = isAsync ? await stream.ReadAsync(part) : stream.Read(part);
            if (read == 0)
                return all.ToArray();
            all.Write(part, 0, read);
        }
    }

    // As a network gives them: not as much as is asked for.
    private sealed class ChunkedReadStream(byte[] data, int piece) : ReadOnlyStream
    {
        private int _position;

        public override int Read(Span<byte> buffer)
        {
            var next = data.AsSpan(_position, Math.Min(Math.Min(piece, buffer.Length), data.Length - _position));
            next.CopyTo(buffer);
            _position += next.Length;
            return next.Length;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            return Read(buffer.Span);
        }
    }
}
