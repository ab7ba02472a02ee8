using Serve.Testing;

namespace Serve.Helm.Tests;

/// <summary>The images: no SDK at run time, a numeric user that Kubernetes can check, and the executable that the chart's arguments are for.</summary>
public sealed class DockerfileTests
{
    private static readonly string[] Instructions = ["ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "RUN", "USER", "VOLUME", "WORKDIR"];

    [Theory]
    [InlineData("Dockerfile")]
    [InlineData("Dockerfile.gpu")]
    public void Dockerfile_FinalStage_IsWhatTheChartExpects(string file)
    {
        var instructions = Read(file);
        var final = instructions[(instructions.FindLastIndex(line => line.StartsWith("FROM ", StringComparison.Ordinal)) + 1)..];

        Assert.All(instructions, line => Assert.Contains(line.Split(' ')[0], (string[])Instructions));
        Assert.DoesNotContain(final, line => line.Contains("sdk", StringComparison.OrdinalIgnoreCase));
        Assert.Contains("USER 1654", final);
        Assert.Contains("ENTRYPOINT [\"/app/serve\"]", final);
        Assert.Contains("EXPOSE 8000 8265", final);
        // preStop runs "serve" by name, without a shell.
        Assert.Contains(final, line => line.StartsWith("ENV PATH=/app:", StringComparison.Ordinal));
        // Each stage that is copied from exists.
        var stages = instructions.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal) && line.Contains(" AS ", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf(' ') + 1)..]).ToList();
        Assert.All(instructions.Where(line => line.Contains("--from=", StringComparison.Ordinal)), line => Assert.Contains(stages, stage => line.Contains($"--from={stage} ", StringComparison.Ordinal)));
        Assert.Contains(instructions, line => line.StartsWith("RUN dotnet publish src/Cli/Serve.Cli.csproj ", StringComparison.Ordinal) && line.Contains("--no-self-contained", StringComparison.Ordinal));
    }

    [Fact]
    public void Dockerfile_User_IsThatOfTheChart() =>
        Assert.Contains("runAsUser: 1654", File.ReadAllText(Path.Combine(HelmCommand.Chart, "values.yaml")), StringComparison.Ordinal);

    // One line per instruction, without comments.
    private static List<string> Read(string file) => [.. File.ReadAllText(Path.Combine(ServeExecutable.Root, "deploy", file))
        .Replace("\\\n", "", StringComparison.Ordinal)
        .Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')];
}
