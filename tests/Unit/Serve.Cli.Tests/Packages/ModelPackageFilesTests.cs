using System.IO.Compression;
using Google.Protobuf;
using Serve.Cli.Hosting;
using Serve.Controller.Builds;
using Serve.Controller.Packages;

namespace Serve.Cli.Tests.Packages;

/// <summary>Content of the packages of models; packaging a model needs no compiler.</summary>
public sealed class ModelPackageFilesTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();
    private readonly FakeBuildProgress _progress = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task PrepareAsync_OnnxFile_VersionOneOfABuiltInClass()
    {
        var package = await PrepareAsync(_folder.Write("digits.onnx", "bytes"));

        Assert.Equal(["1/model.onnx", "serve-package.json"], Files(package.Directory));
        Assert.Equal("bytes", File.ReadAllText(Path.Combine(package.Directory, "1/model.onnx")));
        Assert.Null(package.AssemblyFile);
        Assert.Equal("digits", package.Ingress);
        Assert.Equal(new PackageInspector().DescribeModel("digits").Deployments[0].TypeName, Assert.Single(package.Deployments).TypeName);
        Assert.Equal("/v2/models/other", package.DefaultRoutePrefix("other"));
        Assert.Empty(_progress.Events);
    }

    [Fact]
    public async Task PrepareAsync_FileReplaced_AnotherPackage()
    {
        var file = _folder.Write("digits.onnx", "one");
        var first = await PrepareAsync(file);
        var same = await PrepareAsync(file);
        _folder.Write("digits.onnx", "two");
        var second = await PrepareAsync(file);

        Assert.Equal(first.Hash, same.Hash);
        Assert.NotEqual(first.Hash, second.Hash);
    }

    [Fact]
    public async Task PrepareAsync_SameFileAgain_NothingIsWritten()
    {
        var file = _folder.Write("digits.onnx", "one");
        var first = await PrepareAsync(file);
        var before = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Directory.SetLastWriteTimeUtc(_folder.In("packages"), before);

        Assert.Equal(first.Hash, (await PrepareAsync(file)).Hash);
        Assert.Equal(before, Directory.GetLastWriteTimeUtc(_folder.In("packages")));

        _folder.Write("digits.onnx", "two");
        await PrepareAsync(file);
        Assert.NotEqual(before, Directory.GetLastWriteTimeUtc(_folder.In("packages")));
    }

    [Fact]
    public async Task PrepareAsync_FolderWithManifest_IsReplaced()
    {
        _folder.Write("digits/serve-package.json", "no manifest at all");
        var store = new ApplicationPackageStore(_folder.In("packages"));
        Directory.CreateDirectory(_folder.In("packages"));
        _folder.Write("digits/1/model.onnx", "one");
        var hash = store.Add(_folder.In("digits"), null, new() { Name = "digits" });

        Assert.Equal("digits", store.ReadManifest(hash).Name);
        Assert.Equal(hash, (await PrepareAsync(_folder.In("digits"))).Hash);
        var before = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Directory.SetLastWriteTimeUtc(_folder.In("packages"), before);
        Assert.Equal(hash, store.Add(_folder.In("digits"), null, new() { Name = "digits" }));
        Assert.Equal(before, Directory.GetLastWriteTimeUtc(_folder.In("packages")));
    }

    [Fact]
    public async Task PrepareAsync_FolderOfVersions_ContainsOnlyVersions()
    {
        _folder.Write("digits/1/model.onnx", "one");
        _folder.Write("digits/12/model.onnx", "twelve");
        _folder.Write("digits/config.pbtxt", "");
        _folder.Write("digits/2/notes.txt", "");

        Assert.Equal(["1/model.onnx", "12/model.onnx", "serve-package.json"], Files((await PrepareAsync(_folder.In("digits"))).Directory));
    }

    [Fact]
    public async Task PrepareAsync_ExternalData_IsIncluded()
    {
        var initializer = Field(5, Tensor("weights.bin"));
        var attribute = Field(1, Field(5, Field(5, Tensor("sub/constant.bin"))));
        var branch = Field(1, Field(5, Field(6, Field(5, Tensor("branch.bin")))));
        _folder.Write("m/net.onnx", "");
        await File.WriteAllBytesAsync(_folder.In("m/net.onnx"), Field(7, [.. initializer, .. attribute, .. branch, .. Field(5, Tensor("missing.bin")), .. Field(5, Tensor("../outside.bin")), .. Field(5, Tensor("../m-too/outside.bin"))]));
        foreach (var name in new[] { "weights.bin", "sub/constant.bin", "branch.bin", "unrelated.bin", "../outside.bin", "../m-too/outside.bin" })
            _folder.Write("m/" + name, name);

        var package = await PrepareAsync(_folder.In("m/net.onnx"));

        Assert.Equal(["1/branch.bin", "1/model.onnx", "1/sub/constant.bin", "1/weights.bin", "serve-package.json"], Files(package.Directory));
    }

    [Fact]
    public async Task PrepareAsync_VersionsWithExternalData_EachIncludesItsOwn()
    {
        foreach (var version in new[] { "1", "2" })
        {
            _folder.Write($"net/{version}/model.onnx", "");
            await File.WriteAllBytesAsync(_folder.In($"net/{version}/model.onnx"), Field(7, Field(5, Tensor("weights.bin"))));
            _folder.Write($"net/{version}/weights.bin", version);
        }

        var package = await PrepareAsync(_folder.In("net"));

        Assert.Equal(["1/model.onnx", "1/weights.bin", "2/model.onnx", "2/weights.bin", "serve-package.json"], Files(package.Directory));
        Assert.Equal("2", File.ReadAllText(Path.Combine(package.Directory, "2/weights.bin")));
    }

    // The names of external data are written by whoever made the model.
    [Theory]
    [InlineData("secret.bin", "secret.bin")]
    [InlineData("sub", "sub/secret.bin")]
    public async Task PrepareAsync_ExternalDataBehindALink_Throws(string link, string location)
    {
        _folder.Write("elsewhere/secret.bin", "secret");
        _folder.Write("m/net.onnx", "");
        await File.WriteAllBytesAsync(_folder.In("m/net.onnx"), Field(7, Field(5, Tensor(location))));
        File.CreateSymbolicLink(_folder.In("m/" + link), link == location ? _folder.In("elsewhere/secret.bin") : _folder.In("elsewhere"));

        var error = await Assert.ThrowsAsync<DefinitionException>(() => PrepareAsync(_folder.In("m/net.onnx")));

        Assert.Equal($"External data of {_folder.In("m/net.onnx")} must be a regular file below the model's folder, but {_folder.In("m/" + link)} is a symbolic link. Replace the link with the file.", error.Message);
        Assert.False(Directory.Exists(_folder.In("packages")) && Directory.EnumerateFileSystemEntries(_folder.In("packages")).Any());
    }

    // Opening a pipe would wait for its writer.
    [Fact]
    public async Task PrepareAsync_ExternalDataIsAPipe_Throws()
    {
        _folder.Write("m/net.onnx", "");
        await File.WriteAllBytesAsync(_folder.In("m/net.onnx"), Field(7, Field(5, Tensor("pipe"))));
        using (var made = System.Diagnostics.Process.Start("mkfifo", _folder.In("m/pipe")))
            await made.WaitForExitAsync();

        var error = await Assert.ThrowsAsync<DefinitionException>(() => PrepareAsync(_folder.In("m/net.onnx")));

        Assert.Contains("is empty or a special file", error.Message, StringComparison.Ordinal);
    }

    // A sparse file occupies no space.
    [Fact]
    public async Task PrepareAsync_FileLargerThanTheFileSystem_Throws()
    {
        _folder.Write("m/net.onnx", "");
        await File.WriteAllBytesAsync(_folder.In("m/net.onnx"), Field(7, Field(5, Tensor("weights.bin"))));
        await using (var sparse = File.Create(_folder.In("m/weights.bin")))
            sparse.SetLength(SparseLength());

        var error = await Assert.ThrowsAsync<DefinitionException>(() => PrepareAsync(_folder.In("m/net.onnx")));

        Assert.Contains("The files of the package must fit on the file system", error.Message, StringComparison.Ordinal);

        long SparseLength() => new DriveInfo(_folder.In("m")).TotalSize + (1L << 30);
    }

    [Fact]
    public async Task PrepareAsync_Canceled_StopsReading()
    {
        var file = _folder.Write("digits.onnx", "bytes");
        using var canceled = new CancellationTokenSource();
        var store = new ApplicationPackageStore(_folder.In("packages"));
        await canceled.CancelAsync();

        Assert.Throws<OperationCanceledException>(() => store.Add([("1/model.onnx", file)], new() { Name = "digits" }, canceled.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.In("packages")));
    }

    // Two names of the same file.
    [Fact]
    public async Task PrepareAsync_ExternalDataWithTwoNames_IsIncludedOnce()
    {
        _folder.Write("m/net.onnx", "");
        await File.WriteAllBytesAsync(_folder.In("m/net.onnx"), Field(7, [.. Field(5, Tensor("weights.bin")), .. Field(5, Tensor("./weights.bin"))]));
        _folder.Write("m/weights.bin", "weights");

        Assert.Equal(["1/model.onnx", "1/weights.bin", "serve-package.json"], Files((await PrepareAsync(_folder.In("m/net.onnx"))).Directory));
    }

    // By the field numbers of onnx.proto: a model's graph is 7, its training 20, its functions 25, and so on down to a tensor.
    [Theory]
    [InlineData(7, 5)]
    [InlineData(7, 15, 1)]
    [InlineData(7, 15, 2)]
    [InlineData(7, 1, 5, 5)]
    [InlineData(7, 1, 5, 6, 5)]
    [InlineData(7, 1, 5, 10)]
    [InlineData(7, 1, 5, 11, 5)]
    [InlineData(7, 1, 5, 22, 1)]
    [InlineData(7, 1, 5, 23, 2)]
    [InlineData(20, 1, 5)]
    [InlineData(20, 2, 5)]
    [InlineData(25, 7, 5, 5)]
    [InlineData(25, 11, 5)]
    public async Task PrepareAsync_ExternalDataOfAnyTensor_IsIncluded(params int[] path)
    {
        _folder.Write("m/net.onnx", "");
        await File.WriteAllBytesAsync(_folder.In("m/net.onnx"), path.Reverse().Aggregate(Tensor("weights.bin"), (within, number) => Field(number, within)));
        _folder.Write("m/weights.bin", "weights");
        // Its offset is not a file name.
        _folder.Write("m/0", "0");

        var package = await PrepareAsync(_folder.In("m/net.onnx"));

        Assert.Equal(["1/model.onnx", "1/weights.bin", "serve-package.json"], Files(package.Directory));
    }

    // 100,000 nested graphs, which no real ONNX file has; written from the innermost outwards.
    [Fact]
    public async Task PrepareAsync_DeeplyNestedGraphs_AreLeftToOnnxRuntime()
    {
        var bytes = new byte[4_000_000];
        var at = bytes.Length;
        foreach (var number in Enumerable.Repeat<int[]>([6, 5, 1], 100_000).SelectMany(level => level).Append(7))
        {
            var length = bytes.Length - at;
            var size = CodedOutputStream.ComputeLengthSize(length);
            at -= size + 1;
            bytes[at] = (byte)((number << 3) | (int)WireFormat.WireType.LengthDelimited);
            for (var i = 0; i < size; i++, length >>= 7)
                bytes[at + 1 + i] = (byte)((length & 0x7F) | (i < size - 1 ? 0x80 : 0));
        }

        _folder.Write("deep.onnx", "");
        await File.WriteAllBytesAsync(_folder.In("deep.onnx"), bytes.AsMemory(at));

        Assert.Equal(["1/model.onnx", "serve-package.json"], Files((await PrepareAsync(_folder.In("deep.onnx"))).Directory));
    }

    [Fact]
    public async Task Archive_OfAModel_IsAPackageElsewhere()
    {
        var package = await PrepareAsync(_folder.Write("digits.onnx", "bytes"));
        PackageZipArchive.Write(package.Directory, _folder.In("digits.zip"));

        var unpacked = await PrepareAsync(_folder.In("digits.zip"));

        Assert.Equal(package.Hash, unpacked.Hash);
        Assert.Equal("digits", unpacked.Ingress);
    }

    [Fact]
    public async Task Archive_WithNeitherAssemblyNorModel_Throws()
    {
        await using (var zip = await ZipFile.OpenAsync(_folder.In("empty.zip"), ZipArchiveMode.Create))
        {
            await using var manifest = await zip.CreateEntry("serve-package.json").OpenAsync();
            await manifest.WriteAsync("""{"name":"digits"}"""u8.ToArray());
        }

        var error = await Assert.ThrowsAsync<DefinitionException>(() => PrepareAsync(_folder.In("empty.zip")));
        Assert.Contains("neither an assembly nor a model", error.Message, StringComparison.Ordinal);
    }

    private Task<Specs.ApplicationPackage> PrepareAsync(string path)
    {
        var store = new ApplicationPackageStore(_folder.In("packages"));
        return new PackageApplicationSource(new ApplicationPackageBuilder(store, _folder.In("builds"), _progress, TimeProvider.System), store, new PackageInspector()).PrepareAsync(path, CancellationToken.None);
    }

    private static IEnumerable<string> Files(string package) => ApplicationPackageStore.Files(package).Select(file => file.Name).Order(StringComparer.Ordinal);

    // A TensorProto whose external_data (13) has an entry of key (1) and value (2).
    private static byte[] Tensor(string location) =>
        [.. Field(13, [.. Field(1, "location"u8), .. Field(2, System.Text.Encoding.UTF8.GetBytes(location))]), .. Field(13, [.. Field(1, "offset"u8), .. Field(2, "0"u8)])];

    private static byte[] Field(int number, ReadOnlySpan<byte> content)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(content));
        }

        return stream.ToArray();
    }
}
