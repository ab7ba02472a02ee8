using Serve.Cli.Verbs;

namespace Serve.Cli.Tests.Verbs;

public sealed class DeployCommandTargetTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_SourceFile_ApplicationNamedAfterIt()
    {
        var file = _folder.Write("Counter.cs", "");

        var target = DeployCommandTarget.Load(file + ":Counter", null, "/c", IsolationMode.Replica);

        Assert.False(target.IsDeclarative);
        var application = Assert.Single(target.Config.Applications);
        Assert.Equal(("Counter", "/c", file + ":Counter", IsolationMode.Replica), (application.Name, application.RoutePrefix, application.ImportPath, application.Isolation));
    }

    [Fact]
    public void Load_ConfigFile_PathsFoundBesideItAndMadeAbsolute()
    {
        var file = _folder.Write("sub/Counter.cs", "");
        var config = _folder.Write("sub/app.yaml", "applications:\n  - name: counter\n    import_path: Counter.cs\n");

        var target = DeployCommandTarget.Load(config, null, null, null);

        Assert.True(target.IsDeclarative);
        Assert.Equal(file, Assert.Single(target.Config.Applications).ImportPath);
    }

    [Theory]
    [InlineData("http_options: {port: 9}", false)]
    [InlineData("http_options: {port: 9}\napplications: []", true)]
    public void LoadNodeConfig_HttpOptions_DeclarativeIfItListsApplications(string text, bool isDeclarative)
    {
        var target = DeployCommandTarget.LoadNodeConfig(_folder.Write("node.yaml", text));

        Assert.Equal((9, isDeclarative), (target.Config.HttpOptions!.Port, target.IsDeclarative));
        Assert.Empty(target.Config.Applications);
    }

    [Fact]
    public void Load_ConfigFileWithSeveralErrors_ReportsAllWithLines()
    {
        var config = _folder.Write("app.yaml", "applications:\n  - name: counter\n    import_paht: Counter.cs\n    deployments:\n      - name: Counter\n        num_replicas: many\n");

        var error = Assert.Throws<DefinitionException>(() => DeployCommandTarget.Load(config, null, null, null));

        Assert.Contains(error.Errors, text => text.StartsWith($"{config}(3): ", StringComparison.Ordinal) && text.Contains("import_path", StringComparison.Ordinal));
        Assert.Contains(error.Errors, text => text.StartsWith($"{config}(6): ", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_ConfigFileWithMissingSources_ReportsEach()
    {
        var config = _folder.Write("app.yaml", "applications:\n  - name: a\n    import_path: A.cs\n  - name: b\n    import_path: B.cs\n");

        var error = Assert.Throws<DefinitionException>(() => DeployCommandTarget.Load(config, null, null, null));

        Assert.Equal([$"{config}(3): ", $"{config}(5): "], error.Errors.Select(text => text[..(config.Length + 5)]));
    }

    [Fact]
    public void Load_MalformedRoutePrefix_Refused() =>
        Assert.Contains("route_prefix", Assert.Throws<DefinitionException>(() => DeployCommandTarget.Load(_folder.Write("A.cs", ""), null, "no-slash", null)).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_ConfigFileWithName_Refused() =>
        Assert.Equal(CliExitCode.Usage, Assert.Throws<CommandFailedException>(() => DeployCommandTarget.Load(_folder.Write("a.yaml", ""), "x", null, null)).ExitCode);
}
