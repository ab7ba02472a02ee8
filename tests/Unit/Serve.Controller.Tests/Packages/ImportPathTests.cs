using Serve.Controller.Packages;

namespace Serve.Controller.Tests.Packages;

public sealed class ImportPathTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Counter.cs", ImportPathKind.SourceFile, null)]
    [InlineData("Counter.cs:My.Counter", ImportPathKind.SourceFile, "My.Counter")]
    [InlineData("App.csproj", ImportPathKind.Project, null)]
    [InlineData("App.dll:Counter", ImportPathKind.Assembly, "Counter")]
    [InlineData("app.zip", ImportPathKind.Archive, null)]
    [InlineData("digits.onnx", ImportPathKind.Model, null)]
    internal void Resolve_FileByExtension_KindAndType(string text, ImportPathKind kind, string? type)
    {
        var file = _folder.Write(text.Split(':')[0], "");

        Assert.Equal(new ImportPath(kind, file, type), ImportPath.Resolve(text, _folder.Path));
    }

    [Fact]
    public void Resolve_SecondFolder_FoundThere()
    {
        var file = _folder.Write("sub/Counter.cs", "");

        Assert.Equal(file, ImportPath.Resolve("Counter.cs", _folder.Path, _folder.In("sub")).Location);
    }

    [Fact]
    public void Resolve_FolderWithOneProject_TheProject()
    {
        var project = _folder.Write("app/App.csproj", "");

        Assert.Equal(new ImportPath(ImportPathKind.Project, project, null), ImportPath.Resolve("app", _folder.Path));
    }

    [Fact]
    public void Resolve_FolderWithTwoProjects_ErrorNamesBoth()
    {
        _folder.Write("app/A.csproj", "");
        _folder.Write("app/B.csproj", "");

        var error = Assert.Throws<DefinitionException>(() => ImportPath.Resolve("app", _folder.Path));
        Assert.Contains("A.csproj, B.csproj", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("digits")]
    [InlineData("digits.v2/")]
    public void Resolve_FolderOfVersions_AModelOfItsName(string text)
    {
        _folder.Write(Path.Combine(text, "3/model.onnx"), "");
        _folder.Write(Path.Combine(text, "config.pbtxt"), "");

        var path = ImportPath.Resolve(text, _folder.Path);

        Assert.Equal(new ImportPath(ImportPathKind.Model, _folder.In(text.TrimEnd('/')), null), path);
        Assert.Equal(text.TrimEnd('/'), path.DefaultName);
    }

    [Theory]
    [InlineData("03/model.onnx")]
    [InlineData("0/model.onnx")]
    [InlineData("x/model.onnx")]
    [InlineData("1/other.onnx")]
    public void Resolve_FolderWithoutVersions_ErrorNamesLayout(string file)
    {
        _folder.Write("digits/" + file, "");

        var error = Assert.Throws<DefinitionException>(() => ImportPath.Resolve("digits", _folder.Path));
        Assert.Contains("no project and no model (VERSION/model.onnx)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing.cs", "file or folder not found")]
    [InlineData("package:abc", "64 hex digits")]
    [InlineData("there.txt", "must be a .cs file")]
    public void Resolve_NotDeployable_ErrorNamesReason(string text, string expected)
    {
        _folder.Write("there.txt", "");

        var error = Assert.Throws<DefinitionException>(() => ImportPath.Resolve(text, _folder.Path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_Package_HashAndType()
    {
        var hash = new string('a', 64);

        Assert.Equal(new ImportPath(ImportPathKind.Package, hash, "Counter"), ImportPath.Resolve($"package:{hash}:Counter"));
    }
}
