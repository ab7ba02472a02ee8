using System.Diagnostics;

namespace Serve.Controller.Builds;

/// <summary>Runs <c>dotnet build</c> as a child process. It leaves no build servers behind; its supervisor ends all of its processes if this one cancels or ends.</summary>
internal static class DotnetBuildProcess
{
    private const int MaxCapturedLines = 4000;

    /// <summary>Time for the supervisor to end the build; one that a signal has stopped does not.</summary>
    private static readonly TimeSpan SupervisorTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Folder of the props, targets and analyzers that are added to user code.</summary>
    public static string UserCodeFolder { get; } = Path.Combine(AppContext.BaseDirectory, "usercode");

    /// <summary>Builds a project, or a C# file as a file-based program, in Release configuration.</summary>
    /// <param name="target">Absolute path of the project or C# file.</param>
    /// <param name="properties">Additional MSBuild properties, as <c>Name=Value</c>.</param>
    /// <param name="workFolder">Folder for temporary files.</param>
    /// <param name="supervisor">Command line before that of the build, which kills its process group when its standard input ends; empty for none.</param>
    /// <param name="cancellationToken">Cancels the build.</param>
    /// <exception cref="DefinitionException">The build failed; lists every error.</exception>
    public static async Task RunAsync(string target, IEnumerable<string> properties, string workFolder, IReadOnlyList<string> supervisor, CancellationToken cancellationToken)
    {
        string[] program = [.. supervisor, FindDotnet()];
        var start = new ProcessStartInfo(program[0])
        {
            // Selects global.json and NuGet.config.
            WorkingDirectory = Path.GetDirectoryName(target)!,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        string[] arguments =
        [
            .. program[1..], "build", target, "--configuration", "Release", "--verbosity", "quiet", "--nologo", "-tl:off", "-clp:NoSummary", "--disable-build-servers",
            "-p:UseSharedCompilation=false", "-p:UseAppHost=false", "-p:EnableDynamicLoading=true",
            // Rules of code style belong to the project's own builds; one of them requires documentation files.
            "-p:GenerateDocumentationFile=false", "-p:EnforceCodeStyleInBuild=false",
            $"-p:CustomAfterMicrosoftCommonTargets={Path.Combine(UserCodeFolder, "UserCode.targets")}",
            .. properties.Select(property => "-p:" + property),
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        SetEnvironment(start.Environment);
        // NuGet and the compiler leave folders in the temporary directory; here they are deleted after the build.
        var temporary = Directory.CreateDirectory(Path.Combine(workFolder, "tmp"));
        start.Environment["TMPDIR"] = start.Environment["TMP"] = start.Environment["TEMP"] = temporary.FullName;
        try
        {
            await RunAsync(start, target, isSupervised: supervisor.Count > 0, cancellationToken);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(ProcessStartInfo start, string target, bool isSupervised, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        using var process = new Process { StartInfo = start };
        void Capture(object sender, DataReceivedEventArgs e)
        {
            lock (lines)
            {
                if (e.Data is { } line && lines.Count < MaxCapturedLines)
                    lines.Add(line);
            }
        }

        process.OutputDataReceived += Capture;
        process.ErrorDataReceived += Capture;
        process.Start();
        if (!isSupervised)
            process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            using var timeout = new CancellationTokenSource(SupervisorTimeout);
            if (isSupervised)
            {
                // The supervisor kills the processes of the build and itself.
                process.StandardInput.Close();
                await process.WaitForExitAsync(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }

        if (process.ExitCode == 0)
            return;
        throw new DefinitionException(lines.Exists(static line => line.Contains("No .NET SDKs were found", StringComparison.Ordinal))
            ? [$"{target} cannot be built: this machine has the .NET runtime, but no SDK. Install the .NET 10 SDK, or deploy a package that 'serve build' created on another machine."]
            : CompilerErrorParser.Errors(lines, target));
    }

    // The dotnet that runs this process, otherwise the one on the PATH.
    private static string FindDotnet()
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
                "C# cannot be built: 'dotnet' is not on the PATH. Install the .NET 10 SDK, or deploy a package that 'serve build' created on another machine.");
    }

    private static void SetEnvironment(IDictionary<string, string?> environment)
    {
        // Variables of a surrounding MSBuild or test host would redirect this build to the other one's files.
        foreach (var name in environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            environment.Remove(name);
        environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        environment["MSBUILDDISABLENODEREUSE"] = "1";
        environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        environment["DOTNET_NOLOGO"] = "1";
        environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        // This process found no ICU library; the SDK would not start without one.
        if (AppContext.TryGetSwitch("System.Globalization.Invariant", out var isInvariant) && isInvariant)
            environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
    }
}
