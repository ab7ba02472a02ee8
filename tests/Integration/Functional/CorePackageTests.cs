using System.Diagnostics;
using System.Xml.Linq;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Core as a package: a console program outside of the repository installs it from a local feed and needs nothing else.</summary>
public sealed class CorePackageTests : IAsyncLifetime, IDisposable
{
    private const string Program = """
        using Serve;

        await using var ray = await Cluster.Init(new() { NumCpus = 2, Isolation = Enum.Parse<Isolation>(args[0]) });
        var squares = await ray.Get(Enumerable.Range(1, 3).Select(value => ray.Work.Square.Remote(value)));
        var tally = ray.Tally.Remote(10);
        Console.WriteLine($"{string.Join(' ', squares)}, {await tally.Add.Remote(5)}, {await ray.Run(static value => value * 2, 21)}");
        Console.WriteLine(await ray.Work.ProcessId.Remote() == Environment.ProcessId ? "same process" : "worker process");

        public static class Work
        {
            [Remote] public static int Square(int value) => value * value;

            [Remote] public static int ProcessId() => Environment.ProcessId;
        }

        [Remote]
        public sealed class Tally(int start)
        {
            private int _value = start;

            public int Add(int amount) => _value += amount;
        }
        """;

    private readonly ScratchDirectory _scratch = new();

    public async Task InitializeAsync()
    {
        foreach (var project in PackagedProjects())
            await RunAsync(ServeExecutable.Root, "pack", project, "-c", "Release", "--no-build", "-o", _scratch.In("feed"));

        // Packages of the feed go to a folder of this test; all others may come from the user's own cache.
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        Directory.CreateDirectory(_scratch.In("program"));
        _scratch.Write("program/Program.cs", Program);
        _scratch.Write("program/program.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <UseAppHost>false</UseAppHost>
                <RestorePackagesPath>{_scratch.In("packages")}</RestorePackagesPath>
                <RestoreFallbackFolders>{cache}</RestoreFallbackFolders>
                <RestoreAdditionalProjectSources>{_scratch.In("feed")}</RestoreAdditionalProjectSources>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Serve.Runtime" Version="0.1.0" />
              </ItemGroup>
            </Project>
            """);
        await RunAsync(_scratch.In("program"), "build", "-c", "Release", "-o", _scratch.In("out"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("None", "same process")]
    [InlineData("Process", "worker process")]
    public async Task Program_WithPackagesOnly_RunsTasksAndActors(string isolation, string process)
    {
        var output = await RunAsync(_scratch.Path, _scratch.In("out/program.dll"), isolation);

        Assert.Equal($"1 4 9, 15, 42\n{process}\n", output.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Program_WithPackagesOnly_NeedsNeitherAspNetCoreNorServe()
    {
        var framework = File.ReadAllText(_scratch.In("out/program.runtimeconfig.json"));
        var dependencies = File.ReadAllText(_scratch.In("out/program.deps.json"));

        Assert.DoesNotContain("AspNetCore", framework + dependencies, StringComparison.Ordinal);
        Assert.DoesNotContain("Grpc.", dependencies, StringComparison.Ordinal);
        Assert.DoesNotContain("Serve.Abstractions", dependencies, StringComparison.Ordinal);
        Assert.Contains("Serve.Runtime.Engine/", dependencies, StringComparison.Ordinal);
    }

    /// <summary>The project with the package id Serve.Runtime, and all that it references.</summary>
    private static HashSet<string> PackagedProjects()
    {
        var runtime = Directory.EnumerateFiles(Path.Combine(ServeExecutable.Root, "src", "Runtime"), "*.csproj", SearchOption.AllDirectories)
            .Single(file => XDocument.Load(file).Descendants("PackageId").Any(id => id.Value == "Serve.Runtime"));
        HashSet<string> found = [];
        Queue<string> open = new([runtime]);
        while (open.TryDequeue(out var project))
        {
            if (!found.Add(project))
                continue;
            foreach (var reference in XDocument.Load(project).Descendants("ProjectReference").Where(each => each.Attribute("ReferenceOutputAssembly")?.Value != "false"))
                open.Enqueue(Path.GetFullPath(reference.Attribute("Include")!.Value, Path.GetDirectoryName(project)!));
        }

        return found;
    }

    private async Task<string> RunAsync(string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
                ["TMPDIR"] = _scratch.Temporary,
            },
        };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var kill = limit.Token.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{output}\n{await errors}");
        return output;
    }
}
