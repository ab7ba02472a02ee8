using Serve.Cli.Build;

namespace Serve.Cli.Tests.Build;

/// <summary>Real builds with the SDK; each costs seconds, so each test asks several things.</summary>
public sealed class ApplicationSourceTests : IDisposable
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

    private readonly TemporaryFolder folder = new();
    private readonly FakeBuildProgress progress = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task PrepareAsync_SourceFile_BuiltOnceThenReused()
    {
        var file = folder.Write("my file.cs", Counter);

        var first = await NewSource().PrepareAsync(file, CancellationToken.None);
        var second = await NewSource().PrepareAsync(file, CancellationToken.None);

        Assert.Equal(["begun", "done"], progress.Told);
        Assert.Equal(first.Hash, second.Hash);
        Assert.Equal("Counter", first.Ingress);
        Assert.Equal(3, Assert.Single(first.Deployments).Options.NumReplicas);
        Assert.True(File.Exists(Path.Combine(first.Directory, first.AssemblyFile!)));
        Assert.False(File.Exists(Path.Combine(first.Directory, "Serve.Abstractions.dll")));
        Assert.False(File.Exists(Path.Combine(first.Directory, "Serve.Core.dll")));
        Assert.Equal([first.Directory], Directory.GetDirectories(folder.In("packages")));

        folder.Write("my file.cs", Counter.Replace("++count", "count += 2", StringComparison.Ordinal));
        var third = await NewSource().PrepareAsync(file, CancellationToken.None);

        Assert.NotEqual(first.Hash, third.Hash);
        Assert.True(Directory.Exists(first.Directory));
    }

    [Fact]
    public async Task PrepareAsync_CompileErrors_AllToldWithFileAndLine()
    {
        var file = folder.Write("Broken.cs", "using Serve;\n[Deployment]\npublic sealed class Broken\n{\n    public int Call() => nothing;\n    public int Other() => 1 + Missing.Value;\n}\n");

        var error = await Assert.ThrowsAsync<DefinitionException>(() => NewSource().PrepareAsync(file, CancellationToken.None));

        Assert.Equal(2, error.Errors.Count);
        Assert.Contains(error.Errors, text => text.StartsWith($"{file}(5,26): error CS0103:", StringComparison.Ordinal));
        Assert.Contains(error.Errors, text => text.StartsWith($"{file}(6,31): error CS0103:", StringComparison.Ordinal));
        Assert.Equal(["begun", "failed"], progress.Told);
        Assert.False(Directory.Exists(folder.In("packages")) && Directory.EnumerateFileSystemEntries(folder.In("packages")).Any());
    }

    [Fact]
    public async Task PrepareAsync_ProjectThenZipThenAssembly_SameDeployments()
    {
        folder.Write("app/App.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><AssemblyName>Renamed</AssemblyName></PropertyGroup>
            </Project>
            """);
        folder.Write("app/Counter.cs", "using Serve;\n[Deployment] public sealed class Counter { public int Call() => 1; }\n[Deployment] public sealed class Other { public int Call() => 1; }\n");
        var project = await NewSource().PrepareAsync(folder.In("app") + "/App.csproj:Counter", CancellationToken.None);
        Assert.Equal("Renamed.dll", project.AssemblyFile);
        Assert.Equal("Counter", project.Ingress);

        PackageArchive.Write(project.Directory, folder.In("app.zip"));
        var archive = await NewSource("elsewhere").PrepareAsync(folder.In("app.zip") + ":Counter", CancellationToken.None);
        Assert.Equal(project.Hash, archive.Hash);
        Assert.NotEqual(project.Directory, archive.Directory);

        var again = await NewSource("elsewhere").PrepareAsync($"package:{archive.Hash}:Other", CancellationToken.None);
        Assert.Equal("Other", again.Ingress);

        var assembly = await NewSource("third").PrepareAsync(Path.Combine(project.Directory, "Renamed.dll") + ":Counter", CancellationToken.None);
        Assert.Equal(project.Deployments.Select(found => found.TypeName), assembly.Deployments.Select(found => found.TypeName));
    }

    [Fact]
    public async Task PrepareAsync_Cancelled_EndsTheBuild()
    {
        var file = folder.Write("Counter.cs", Counter);
        using var stop = new CancellationTokenSource();
        var waiting = new CancellingProgress(stop);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => NewSource(progress: waiting).PrepareAsync(file, stop.Token));

        // What was cut off does not look current.
        var package = await NewSource().PrepareAsync(file, CancellationToken.None);
        Assert.Equal(["begun", "done"], progress.Told);
        Assert.Equal("Counter", package.Ingress);
    }

    [Fact]
    public async Task PrepareAsync_ZipWithoutManifest_SaysHowToMakeOne()
    {
        folder.Write("content/a.txt", "");
        System.IO.Compression.ZipFile.CreateFromDirectory(folder.In("content"), folder.In("app.zip"));

        var error = await Assert.ThrowsAsync<DefinitionException>(() => NewSource().PrepareAsync(folder.In("app.zip"), CancellationToken.None));

        Assert.Contains("serve build", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.In("packages")));
    }

    private ApplicationSource NewSource(string packages = "packages", IBuildProgress? progress = null)
    {
        var store = new PackageStore(folder.In(packages));
        return new(new PackageBuilder(store, folder.In("builds"), progress ?? this.progress, TimeProvider.System), store);
    }

    private sealed class CancellingProgress(CancellationTokenSource stop) : IBuildProgress
    {
        public void Begun(string source) => stop.CancelAfter(300);

        public void Done(string source, TimeSpan took)
        {
        }

        public void Failed(string source)
        {
        }
    }
}
