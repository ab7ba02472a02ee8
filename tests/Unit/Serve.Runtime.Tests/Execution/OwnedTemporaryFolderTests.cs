using Serve.Runtime.Execution;

namespace Serve.Runtime.Tests.Execution;

public sealed class OwnedTemporaryFolderTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("serve-folder-test-").FullName;

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public void Dispose_DeletesTheFolderWithItsFiles()
    {
        var folder = new OwnedTemporaryFolder("x-", _parent);
        File.WriteAllText(Path.Combine(folder.Path, "file"), "text");

        folder.Dispose();

        Assert.Empty(Directory.EnumerateFileSystemEntries(_parent));
    }

    [Fact]
    public async Task Create_FolderOfAKilledProcess_IsDeletedAndThoseOfLivingOnesStay()
    {
        var abandoned = Directory.CreateDirectory(Path.Combine(_parent, "x-1")).FullName;
        File.WriteAllText(Path.Combine(abandoned, ".owner"), "");
        File.WriteAllText(Path.Combine(abandoned, "worker.log"), "text");
        var unknown = Directory.CreateDirectory(Path.Combine(_parent, "x-new")).FullName;
        var other = Directory.CreateDirectory(Path.Combine(_parent, "y-1")).FullName;
        using var living = new OwnedTemporaryFolder("x-", _parent);

        using var next = new OwnedTemporaryFolder("x-", _parent);

        await Eventually.TrueAsync(() => !Directory.Exists(abandoned));
        OwnedTemporaryFolder.DeleteAbandoned("x-", _parent);
        Assert.All(new[] { unknown, other, living.Path, next.Path }, path => Assert.True(Directory.Exists(path)));
    }
}
