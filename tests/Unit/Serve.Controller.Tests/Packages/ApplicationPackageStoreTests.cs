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

    private static string Refused(Action act) => Assert.Throws<DefinitionException>(act).Message;
}
