using System.CommandLine;
using Serve.Cli.Display;
using Serve.Cli.Hosting;
using Serve.Controller.Builds;
using Serve.Controller.Packages;
using Serve.Controller.Store;
using Serve.Runtime.Execution;

namespace Serve.Cli.Verbs;

/// <summary><c>serve build TARGET -o FILE</c>: builds a package for <c>serve deploy</c> on another machine.</summary>
internal static class ServeBuildCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var target = new Argument<string>("TARGET") { Description = "A .cs file, a project, a .dll or an .onnx file to package." };
        var output = new Option<string>("--output", "-o") { Description = "Package file to write.", HelpName = "FILE.zip", Required = true };
        var command = new Command("build", "Build a package that can be deployed on another machine.") { target, output };
        command.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            var path = ImportPath.Resolve(parsed.GetValue(target)!);
            var file = parsed.GetValue(output)!;
            if (!file.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
                throw new CommandFailedException($"--output must end in .zip, but was '{file}'.", CliExitCode.Usage);
            await WithArchiveAsync(path, console, archive =>
            {
                File.Move(archive, file, overwrite: true);
                return Task.FromResult(file);
            }, cancellationToken);
            console.Out.WriteLine(file);
            return CliExitCode.Ok;
        });
        return command;
    }

    /// <summary>Builds, inspects and packs a target into a temporary zip file.</summary>
    /// <typeparam name="T">Result of <paramref name="use"/>.</typeparam>
    /// <param name="path">The target.</param>
    /// <param name="console">Console for the progress of the build.</param>
    /// <param name="use">Receives the zip file, which is deleted afterwards.</param>
    /// <param name="cancellationToken">Cancels the build.</param>
    public static async Task<T> WithArchiveAsync<T>(ImportPath path, CommandConsole console, Func<string, Task<T>> use, CancellationToken cancellationToken)
    {
        if (path.Kind is ImportPathKind.Archive)
            return await use(path.Location);
        using var work = new OwnedTemporaryFolder("serve-build-");
        var store = new ApplicationPackageStore(Path.Combine(work.Path, "packages"));
        var builder = new ApplicationPackageBuilder(store, NodeStateDirectory.DefaultBuildCache, new BuildProgressLine(console), TimeProvider.System, NodeProcessServices.SupervisorCommand());
        var package = await new PackageApplicationSource(builder, store, new PackageInspector()).PrepareAsync(path.ToString(), cancellationToken);
        var archive = Path.Combine(work.Path, "package.zip");
        PackageZipArchive.Write(package.Directory, archive);
        return await use(archive);
    }
}
