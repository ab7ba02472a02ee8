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
    [InlineData("missing.cs", "no such file")]
    [InlineData("package:abc", "64 hex digits")]
    [InlineData("there.txt", "expected a .cs file")]
    [InlineData("model.onnx", "ONNX")]
    public void Resolve_NotDeployable_ErrorSaysWhy(string text, string expected)
    {
        folder.Write("there.txt", "");
        folder.Write("model.onnx", "");

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
