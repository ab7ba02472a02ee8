using Serve.Cli.Build;

namespace Serve.Cli.Tests.Build;

public sealed class PackageStoreTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly PackageStore store;

    public PackageStoreTests() => store = new PackageStore(folder.In("packages"));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Commit_ContentThatIsThere_IsThatPackageAndNothingElseIsLeft()
    {
        folder.Write("digits/1/model.onnx", "one");
        var hash = store.Add(folder.In("digits"), null, new() { Name = "digits" });
        var staging = store.NewStaging();
        foreach (var (name, path) in PackageStore.Files(store.FolderOf(hash)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(staging, name))!);
            File.Copy(path, Path.Combine(staging, name));
        }

        Assert.Equal(hash, store.Commit(staging));
        Assert.Equal(hash, Path.GetFileName(Assert.Single(Directory.GetDirectories(folder.In("packages")))));
    }

    [Fact]
    public void Add_WhatIsNoPackage_LeavesNothing()
    {
        folder.Write("digits/notes.txt", "");

        Assert.Contains("neither an assembly nor a model", Refused(() => store.Add(folder.In("digits"), null, new() { Name = "digits" })), StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(folder.In("packages")));
    }

    [Fact]
    public void Commit_WithoutAManifest_SaysHowToMakeOne() =>
        Assert.Contains("it has no serve-package.json. 'serve build TARGET -o FILE' makes one.", Refused(() => store.Commit(store.NewStaging())), StringComparison.Ordinal);

    [Fact]
    public void Commit_AManifestThatCannotBeRead_SaysWhichAndWhy()
    {
        var staging = store.NewStaging();
        File.WriteAllText(Path.Combine(staging, PackageManifest.FileName), "{");

        Assert.Contains("serve-package.json cannot be read: ", Refused(() => store.Commit(staging)), StringComparison.Ordinal);
    }

    [Fact]
    public void Add_AnAssemblyThatIsNotThere_NamesIt()
    {
        folder.Write("app/other.dll", "");

        Assert.Contains("names the assembly 'app.dll'", Refused(() => store.Add(folder.In("app"), null, new() { Name = "app", AssemblyFile = "app.dll" })), StringComparison.Ordinal);
    }

    [Fact]
    public void ReadManifest_OfNoPackage_SaysHowToUploadIt() =>
        Assert.Contains("There is no package nothing on this node.", Refused(() => store.ReadManifest("nothing")), StringComparison.Ordinal);

    private static string Refused(Action act) => Assert.Throws<DefinitionException>(act).Message;
}
