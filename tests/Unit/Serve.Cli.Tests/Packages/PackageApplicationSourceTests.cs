using Serve.Cli.Hosting;
using Serve.Controller.Builds;
using Serve.Controller.Packages;

namespace Serve.Cli.Tests.Packages;

/// <summary>Builds with the SDK. Each build takes seconds, so each test checks several things.</summary>
public sealed class PackageApplicationSourceTests : IDisposable
{
    private const string Counter = """
        using Serve;

        [Deployment(NumReplicas = 3)]
        public sealed class Counter(ILogger<Counter> log)
        {
            private int count;

            [HttpGet("/up")]
            public object Call() => new { count = ++count, log };
        }
        """;

    private readonly TemporaryTestFolder _folder = new();
    private readonly FakeBuildProgress _progress = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task PrepareAsync_SourceFile_BuiltOnceThenReused()
    {
        var file = _folder.Write("my file.cs", Counter);

        var first = await NewSource().PrepareAsync(file, CancellationToken.None);
        var second = await NewSource().PrepareAsync(file, CancellationToken.None);

        Assert.Equal(["started", "succeeded"], _progress.Events);
        Assert.Equal(first.Hash, second.Hash);
        Assert.Equal("Counter", first.Ingress);
        Assert.Equal(3, Assert.Single(first.Deployments).Options.NumReplicas);
        Assert.True(File.Exists(Path.Combine(first.Directory, first.AssemblyFile!)));
        Assert.False(File.Exists(Path.Combine(first.Directory, "Serve.Abstractions.dll")));
        Assert.False(File.Exists(Path.Combine(first.Directory, "Serve.Core.dll")));
        Assert.Equal([first.Directory], Directory.GetDirectories(_folder.In("packages")));

        _folder.Write("my file.cs", Counter.Replace("++count", "count += 2", StringComparison.Ordinal));
        var third = await NewSource().PrepareAsync(file, CancellationToken.None);

        Assert.NotEqual(first.Hash, third.Hash);
        Assert.True(Directory.Exists(first.Directory));
    }

    [Fact]
    public async Task PrepareAsync_CompileErrors_ReportsAllWithFileAndLine()
    {
        var file = _folder.Write("Broken.cs", "using Serve;\n[Deployment]\npublic sealed class Broken\n{\n    public int Call() => nothing;\n    public int Other() => 1 + Missing.Value;\n}\n");

        var error = await Assert.ThrowsAsync<DefinitionException>(() => NewSource().PrepareAsync(file, CancellationToken.None));

        Assert.Equal(2, error.Errors.Count);
        Assert.Contains(error.Errors, text => text.StartsWith($"{file}(5,26): error CS0103:", StringComparison.Ordinal));
        Assert.Contains(error.Errors, text => text.StartsWith($"{file}(6,31): error CS0103:", StringComparison.Ordinal));
        Assert.Equal(["started", "failed"], _progress.Events);
        Assert.False(Directory.Exists(_folder.In("packages")) && Directory.EnumerateFileSystemEntries(_folder.In("packages")).Any());
    }

    [Fact]
    public async Task PrepareAsync_Directives_AreTheSdks()
    {
        _folder.Write("Directory.Build.props", "<Project><PropertyGroup><LangVersion>7</LangVersion></PropertyGroup></Project>");
        _folder.Write("lib/Lib.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework><LangVersion>latest</LangVersion></PropertyGroup></Project>""");
        _folder.Write("lib/Lib.cs", "namespace Lib; public static class Answer { public const int Value = 1; }");
        var file = _folder.Write("App.cs", """
            #!/usr/bin/env serve run
            #:sdk Microsoft.NET.Sdk.Web
            #:property AssemblyName=Renamed
            #:project lib
            using Serve;

            [Deployment]
            public sealed class App
            {
                [HttpGet("/up")]
                public int Call() => Lib.Answer.Value;
            }
            """);

        var first = await NewSource().PrepareAsync(file, CancellationToken.None);
        _folder.Write("lib/Lib.cs", "namespace Lib; public static class Answer { public const int Value = 2; }");
        var second = await NewSource().PrepareAsync(file, CancellationToken.None);

        Assert.Equal("Renamed.dll", first.AssemblyFile);
        Assert.True(File.Exists(Path.Combine(first.Directory, "Lib.dll")));
        Assert.NotEqual(first.Hash, second.Hash);
    }

    [Fact]
    public async Task PrepareAsync_InvalidDirective_ErrorNamesFileAndLine()
    {
        var file = _folder.Write("App.cs", "// A comment.\n#:property Nothing\nusing Serve;\n");

        var error = await Assert.ThrowsAsync<DefinitionException>(() => NewSource().PrepareAsync(file, CancellationToken.None));

        Assert.StartsWith($"{file}(2): error: ", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a;b")]
    [InlineData("50%41")]
    [InlineData("$(x)")]
    public async Task PrepareAsync_PathWithMsBuildSyntax_Throws(string name)
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() => NewSource().PrepareAsync(_folder.Write($"{name}/App.cs", Counter), CancellationToken.None));

        Assert.Contains("Rename the file or its folder.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PrepareAsync_ProjectThenZipThenAssembly_SameDeployments()
    {
        _folder.Write("app/App.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><AssemblyName>Renamed</AssemblyName></PropertyGroup>
            </Project>
            """);
        _folder.Write("app/Counter.cs", "using Serve;\n[Deployment] public sealed class Counter { public int Call() => 1; }\n[Deployment] public sealed class Other { public int Call() => 1; }\n");
        var project = await NewSource().PrepareAsync(_folder.In("app") + "/App.csproj:Counter", CancellationToken.None);
        Assert.Equal("Renamed.dll", project.AssemblyFile);
        Assert.Equal("Counter", project.Ingress);

        PackageZipArchive.Write(project.Directory, _folder.In("app.zip"));
        var archive = await NewSource("elsewhere").PrepareAsync(_folder.In("app.zip") + ":Counter", CancellationToken.None);
        Assert.Equal(project.Hash, archive.Hash);
        Assert.NotEqual(project.Directory, archive.Directory);

        var again = await NewSource("elsewhere").PrepareAsync($"package:{archive.Hash}:Other", CancellationToken.None);
        Assert.Equal("Other", again.Ingress);

        var assembly = await NewSource("third").PrepareAsync(Path.Combine(project.Directory, "Renamed.dll") + ":Counter", CancellationToken.None);
        Assert.Equal(project.Deployments.Select(found => found.TypeName), assembly.Deployments.Select(found => found.TypeName));
    }

    // A class can be moved from a file to a project.
    [Fact]
    public async Task PrepareAsync_Project_HasTheImplicitUsingsOfFiles()
    {
        _folder.Write("app/App.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>");
        const string Source = "using Serve;\n[Deployment] public sealed class Moved(ILogger<Moved> log, IConfiguration configuration) { [HttpGet(\"/x\")] public IResult X([FromQuery] int n) { log.LogInformation(\"{N}\", n); return Results.Ok(configuration[\"x\"]); } [Remote] public static int Square(int x) => x * x; }\n";
        _folder.Write("app/Moved.cs", Source);

        var project = await NewSource().PrepareAsync(_folder.In("app") + "/App.csproj", CancellationToken.None);
        var file = await NewSource("elsewhere").PrepareAsync(_folder.Write("Moved.cs", Source), CancellationToken.None);

        Assert.Equal(file.Deployments.Select(found => found.TypeName), project.Deployments.Select(found => found.TypeName));
    }

    [Fact]
    public async Task PrepareAsync_Canceled_KillsTheBuild()
    {
        var file = _folder.Write("Counter.cs", Counter);
        using var stop = new CancellationTokenSource();
        var waiting = new CancellingProgress(stop);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => NewSource(progress: waiting).PrepareAsync(file, stop.Token));

        // A canceled build is not current.
        var package = await NewSource().PrepareAsync(file, CancellationToken.None);
        Assert.Equal(["started", "succeeded"], _progress.Events);
        Assert.Equal("Counter", package.Ingress);
    }

    [Fact]
    public async Task PrepareAsync_ZipWithoutManifest_ErrorNamesServeBuild()
    {
        _folder.Write("content/a.txt", "");
        System.IO.Compression.ZipFile.CreateFromDirectory(_folder.In("content"), _folder.In("app.zip"));

        var error = await Assert.ThrowsAsync<DefinitionException>(() => NewSource().PrepareAsync(_folder.In("app.zip"), CancellationToken.None));

        Assert.Contains("serve build", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.In("packages")));
    }

    private PackageApplicationSource NewSource(string packages = "packages", IBuildProgressListener? progress = null)
    {
        var store = new ApplicationPackageStore(_folder.In(packages));
        return new(new ApplicationPackageBuilder(store, _folder.In("builds"), progress ?? _progress, TimeProvider.System), store, new PackageInspector());
    }

    private sealed class CancellingProgress(CancellationTokenSource stop) : IBuildProgressListener
    {
        public void OnBuildStarted(string source) => stop.CancelAfter(300);

        public void OnBuildSucceeded(string source, TimeSpan duration)
        {
        }

        public void OnBuildFailed(string source)
        {
        }
    }
}
