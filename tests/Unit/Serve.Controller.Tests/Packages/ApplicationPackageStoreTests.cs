using Serve.Controller.Packages;

namespace Serve.Controller.Tests.Packages;

public sealed class ApplicationPackageStoreTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();
    private readonly ApplicationPackageStore _store;

    public ApplicationPackageStoreTests() => _store = new ApplicationPackageStore(_folder.In("packages"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Commit_ExistingContent_ReturnsSamePackage()
    {
        _folder.Write("digits/1/model.onnx", "one");
        var hash = _store.Add(_folder.In("digits"), null, new() { Name = "digits" });
        var staging = _store.NewStaging();
        foreach (var (name, path) in ApplicationPackageStore.Files(_store.FolderOf(hash)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(staging, name))!);
            File.Copy(path, Path.Combine(staging, name));
        }

        Assert.Equal(hash, _store.Commit(staging));
        Assert.Equal(hash, Path.GetFileName(Assert.Single(Directory.GetDirectories(_folder.In("packages")))));
    }

    [Fact]
    public void Add_InvalidPackage_LeavesNothing()
    {
        _folder.Write("digits/notes.txt", "");

        Assert.Contains("neither an assembly nor a model", Refused(() => _store.Add(_folder.In("digits"), null, new() { Name = "digits" })), StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder.In("packages")));
    }

    [Fact]
    public void Commit_WithoutManifest_ErrorNamesServeBuild() =>
        Assert.Contains("serve-package.json is missing. Create packages with 'serve build TARGET -o FILE'.", Refused(() => _store.Commit(_store.NewStaging())), StringComparison.Ordinal);

    [Fact]
    public void Commit_UnreadableManifest_ErrorNamesReason()
    {
        var staging = _store.NewStaging();
        File.WriteAllText(Path.Combine(staging, PackageManifest.FileName), "{");

        Assert.Contains("serve-package.json cannot be read: ", Refused(() => _store.Commit(staging)), StringComparison.Ordinal);
    }

    [Fact]
    public void Add_MissingAssembly_ErrorNamesIt()
    {
        _folder.Write("app/other.dll", "");

        Assert.Contains("does not contain the assembly 'app.dll'", Refused(() => _store.Add(_folder.In("app"), null, new() { Name = "app", AssemblyFile = "app.dll" })), StringComparison.Ordinal);
    }

    [Fact]
    public void ReadManifest_UnknownPackage_ErrorNamesServeDeploy() =>
        Assert.Contains("Package nothing is not stored on this node.", Refused(() => _store.ReadManifest("nothing")), StringComparison.Ordinal);

    [Fact]
    public void DeleteUnused_OldPackageWithoutUse_IsDeletedAndOthersStay()
    {
        var (used, old, recent) = (Add("used"), Add("old"), Add("recent"));
        _store.RecordSource(old, "/code/old");
        foreach (var hash in new[] { used, old })
            Directory.SetLastWriteTimeUtc(_store.FolderOf(hash), DateTime.UtcNow.AddHours(-2));
        var interrupted = _store.NewStaging();
        Directory.SetLastWriteTimeUtc(interrupted, DateTime.UtcNow.AddDays(-3));

        Assert.Equal(1, _store.DeleteUnused(new HashSet<string> { used }, DateTimeOffset.UtcNow.AddHours(-1)));

        Assert.Equal([Path.GetFullPath(_store.FolderOf(recent)), Path.GetFullPath(_store.FolderOf(used))], Directory.GetFileSystemEntries(_folder.In("packages")).Select(Path.GetFullPath).Order().OrderBy(path => path != _store.FolderOf(recent)));
        Assert.Null(_store.ReadSource(old));
    }

    [Fact]
    public void DeleteUnused_PackageThatIsDeployedAgain_Stays()
    {
        var (added, read) = (Add("added"), Add("read"));
        foreach (var hash in new[] { added, read })
            Directory.SetLastWriteTimeUtc(_store.FolderOf(hash), DateTime.UtcNow.AddHours(-2));
        Assert.Equal(added, Add("added"));
        _store.ReadManifest(read);

        Assert.Equal(0, _store.DeleteUnused(new HashSet<string>(), DateTimeOffset.UtcNow.AddHours(-1)));
    }

    private string Add(string content)
    {
        _folder.Write($"{content}/1/model.onnx", content);
        return _store.Add(_folder.In(content), null, new() { Name = content });
    }

    private static string Refused(Action act) => Assert.Throws<DefinitionException>(act).Message;
}
