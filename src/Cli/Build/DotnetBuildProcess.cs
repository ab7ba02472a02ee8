using System.Diagnostics;

namespace Serve.Cli.Build;

/// <summary>Runs <c>dotnet build</c> as a child: no build servers stay behind, and a cancelled build is ended with all it started.</summary>
internal static class DotnetBuildProcess
{
    private const int KeptLines = 4000;

    /// <summary>Builds one project in Release.</summary>
    /// <param name="project">The project file, absolute.</param>
    /// <param name="output">Where the result goes; null leaves it to the project.</param>
    /// <param name="workFolder">For what the build needs on the way.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <exception cref="DefinitionException">It does not build; every error is listed.</exception>
    public static async Task RunAsync(string project, string? output, string workFolder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(FindDotnet())
        {
            // The folder decides over global.json and NuGet.config.
            WorkingDirectory = Path.GetDirectoryName(project)!,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        string[] arguments =
        [
            "build", project, "--configuration", "Release", "--verbosity", "quiet", "--nologo", "-tl:off", "-clp:NoSummary",
            "--disable-build-servers", "-nodeReuse:false", "-p:UseSharedCompilation=false",
            "-p:UseAppHost=false", "-p:EnableDynamicLoading=true", "-p:GenerateDocumentationFile=false",
            $"-p:CustomAfterMicrosoftCommonTargets={Path.Combine(AppContext.BaseDirectory, "usercode", "UserCode.targets")}",
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        if (output is not null)
            start.ArgumentList.Add($"-p:OutDir={output}{Path.DirectorySeparatorChar}");
        CleanEnvironment(start.Environment);
        // NuGet and the compiler leave folders in the temporary one: here they go with the build.
        var temporary = Directory.CreateDirectory(Path.Combine(workFolder, "tmp"));
        start.Environment["TMPDIR"] = start.Environment["TMP"] = start.Environment["TEMP"] = temporary.FullName;
        try
        {
            await RunAsync(start, project, cancellationToken);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(ProcessStartInfo start, string project, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        using var process = new Process { StartInfo = start };
        void Keep(object sender, DataReceivedEventArgs e)
        {
            lock (lines)
            {
                if (e.Data is { } line && lines.Count < KeptLines)
                    lines.Add(line);
            }
        }

        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }

        if (process.ExitCode != 0)
            throw new DefinitionException(CompilerErrorParser.Errors(lines, project));
    }

    /// <summary>The <c>dotnet</c> command that builds: the one this process was started by, or the one on the PATH.</summary>
    /// <returns>Its path.</returns>
    internal static string FindDotnet()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        string?[] folders =
        [
            Path.GetDirectoryName(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")),
            Environment.GetEnvironmentVariable("DOTNET_ROOT"),
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
        ];
        return folders.Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.Combine(folder!, name)).FirstOrDefault(File.Exists)
            ?? throw new DefinitionException(
                "There is no 'dotnet' on the PATH, so C# cannot be built here. Install the .NET 10 SDK, or deploy a package that 'serve build' made elsewhere.");
    }

    private static void CleanEnvironment(IDictionary<string, string?> environment)
    {
        // What a surrounding MSBuild or test host left would point this build at that one's files.
        foreach (var name in environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            environment.Remove(name);
        environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        environment["MSBUILDDISABLENODEREUSE"] = "1";
        environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        environment["DOTNET_NOLOGO"] = "1";
        environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
    }
}
