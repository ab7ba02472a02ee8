using Serve.Cli.Build;

namespace Serve.Cli.Tests.Build;

public sealed class ImportPathTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("Counter.cs", ImportKind.SourceFile, null)]
    [InlineData("Counter.cs:My.Counter", ImportKind.SourceFile, "My.Counter")]
    [InlineData("App.csproj", ImportKind.Project, null)]
    [InlineData("App.dll:Counter", ImportKind.Assembly, "Counter")]
    [InlineData("app.zip", ImportKind.Archive, null)]
    [InlineData("digits.onnx", ImportKind.Model, null)]
    internal void Resolve_FileByExtension_KindAndType(string text, ImportKind kind, string? type)
    {
        var file = folder.Write(text.Split(':')[0], "");

        Assert.Equal(new ImportPath(kind, file, type), ImportPath.Resolve(text, folder.Path));
    }

    [Fact]
    public void Resolve_SecondFolder_FoundThere()
    {
        var file = folder.Write("sub/Counter.cs", "");

        Assert.Equal(file, ImportPath.Resolve("Counter.cs", folder.Path, folder.In("sub")).Location);
    }

    [Fact]
    public void Resolve_FolderWithOneProject_TheProject()
    {
        var project = folder.Write("app/App.csproj", "");

        Assert.Equal(new ImportPath(ImportKind.Project, project, null), ImportPath.Resolve("app", folder.Path));
    }

    [Fact]
    public void Resolve_FolderWithTwoProjects_ErrorNamesBoth()
    {
        folder.Write("app/A.csproj", "");
        folder.Write("app/B.csproj", "");

        var error = Assert.Throws<DefinitionException>(() => ImportPath.Resolve("app", folder.Path));
        Assert.Contains("A.csproj, B.csproj", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("digits")]
    [InlineData("digits.v2/")]
    public void Resolve_FolderOfVersions_AModelOfItsName(string text)
    {
        folder.Write(Path.Combine(text, "3/model.onnx"), "");
        folder.Write(Path.Combine(text, "config.pbtxt"), "");

        var path = ImportPath.Resolve(text, folder.Path);

        Assert.Equal(new ImportPath(ImportKind.Model, folder.In(text.TrimEnd('/')), null), path);
        Assert.Equal(text.TrimEnd('/'), path.DefaultName);
    }

    [Theory]
    [InlineData("03/model.onnx")]
    [InlineData("0/model.onnx")]
    [InlineData("x/model.onnx")]
    [InlineData("1/other.onnx")]
    public void Resolve_FolderWithoutVersions_ErrorSaysWhatIsMissing(string file)
    {
        folder.Write("digits/" + file, "");

        var error = Assert.Throws<DefinitionException>(() => ImportPath.Resolve("digits", folder.Path));
        Assert.Contains("no project, and no model in VERSION/model.onnx", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing.cs", "no such file")]
    [InlineData("package:abc", "64 hex digits")]
    [InlineData("there.txt", "expected a .cs file")]
    public void Resolve_NotDeployable_ErrorSaysWhy(string text, string expected)
    {
        folder.Write("there.txt", "");

        var error = Assert.Throws<DefinitionException>(() => ImportPath.Resolve(text, folder.Path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_Package_HashAndType()
    {
        var hash = new string('a', 64);

        Assert.Equal(new ImportPath(ImportKind.Package, hash, "Counter"), ImportPath.Resolve($"package:{hash}:Counter"));
    }
}
