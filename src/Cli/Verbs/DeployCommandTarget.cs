using Serve.Cli.Yaml;
using Serve.Controller.Packages;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary>What the command line asks to deploy.</summary>
/// <param name="Config">The applications, their import paths absolute.</param>
/// <param name="IsDeclarative">Whether it is a config file: what it does not list goes.</param>
internal sealed record DeployCommandTarget(ServeConfig Config, bool IsDeclarative)
{
    /// <summary>Reads a config file, or makes a config of one application for anything else.</summary>
    /// <param name="target">As named on the command line.</param>
    /// <param name="name">The application's name; null for the file's.</param>
    /// <param name="routePrefix">Its route prefix; null for the default.</param>
    /// <param name="isolation">Its isolation; null for the node's.</param>
    /// <returns>The target.</returns>
    /// <exception cref="DefinitionException">It cannot be read; every error is listed.</exception>
    public static DeployCommandTarget Load(string target, string? name, string? routePrefix, IsolationMode? isolation)
    {
        if (Path.GetExtension(target).ToLowerInvariant() is ".yaml" or ".yml" or ".json")
        {
            if (name is not null || routePrefix is not null)
                throw new CommandFailedException("--name and --route-prefix go with code; a config file names its applications itself.", CliExitCode.Usage);
            return new(LoadFile(target, isolation), IsDeclarative: true);
        }

        var path = ImportPath.Resolve(target);
        var application = new ApplicationConfig { Name = name ?? path.DefaultName, RoutePrefix = routePrefix, ImportPath = path.ToString(), Isolation = isolation };
        // The reader knows what a name and a route prefix may be.
        return new(new ServeConfig { Applications = [ServeConfigReader.ReadApplication(ServeConfigWriter.Write(application))] }, IsDeclarative: false);
    }

    private static ServeConfig LoadFile(string file, IsolationMode? isolation)
    {
        if (!File.Exists(file))
            throw new DefinitionException($"There is no config file '{file}' in {Directory.GetCurrentDirectory()}.");
        var yaml = YamlConfigReader.Read(file, File.ReadAllText(file));
        ServeConfig config;
        try
        {
            config = ServeConfigReader.Read(yaml.Root);
        }
        catch (DefinitionException e)
        {
            throw new DefinitionException(yaml.Locate(e.Errors));
        }

        List<string> errors = [];
        var applications = config.Applications.Select((application, i) =>
        {
            try
            {
                var path = ImportPath.Resolve(application.ImportPath, Directory.GetCurrentDirectory(), Path.GetDirectoryName(Path.GetFullPath(file))!);
                return application with { ImportPath = path.ToString(), Isolation = application.Isolation ?? isolation };
            }
            catch (DefinitionException e)
            {
                errors.AddRange(e.Errors.Select(error => $"applications[{i}].{error}"));
                return application;
            }
        }).ToList();
        return errors.Count == 0 ? config with { Applications = applications } : throw new DefinitionException(yaml.Locate(errors));
    }
}
