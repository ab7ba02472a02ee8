using System.Text.Json.Nodes;
using Serve.Cli.Yaml;
using Serve.Controller.Packages;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary>Target of a deployment on the command line.</summary>
/// <param name="Config">The applications, with absolute import paths.</param>
/// <param name="IsDeclarative">Whether the target is a config file that lists applications: others are deleted.</param>
internal sealed record DeployCommandTarget(ServeConfig Config, bool IsDeclarative)
{
    /// <summary>Reads a config file, or creates a configuration of one application for any other target.</summary>
    /// <param name="target">Target as written on the command line.</param>
    /// <param name="name">Name of the application; null for the name of the file.</param>
    /// <param name="routePrefix">Route prefix; null for the default.</param>
    /// <param name="isolation">Isolation; null for that of the node.</param>
    /// <exception cref="DefinitionException">The target is invalid; lists every error.</exception>
    public static DeployCommandTarget Load(string target, string? name, string? routePrefix, IsolationMode? isolation)
    {
        if (Path.GetExtension(target).ToLowerInvariant() is ".yaml" or ".yml" or ".json")
        {
            if (name is not null || routePrefix is not null)
                throw new CommandFailedException("--name and --route-prefix cannot be used with a config file, which names its applications itself.", CliExitCode.Usage);
            return LoadConfig(target, isolation);
        }

        var path = ImportPath.Resolve(target);
        var application = new ApplicationConfig { Name = name ?? path.DefaultName, RoutePrefix = routePrefix, ImportPath = path.ToString(), Isolation = isolation };
        // Reading validates the name and the route prefix.
        return new(new ServeConfig { Applications = [ServeConfigReader.ReadApplication(ServeConfigWriter.Write(application))] }, IsDeclarative: false);
    }

    /// <summary>Reads a config file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isolation">Isolation of applications without one; null for that of the node.</param>
    /// <exception cref="DefinitionException">The file is invalid; lists every error.</exception>
    public static DeployCommandTarget LoadConfig(string file, IsolationMode? isolation) => new(Read(Parse(file), isolation), IsDeclarative: true);

    /// <summary>Reads the config file of a node, which may consist of HTTP options only; the target is then not declarative.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="DefinitionException">The file is invalid; lists every error.</exception>
    public static DeployCommandTarget LoadNodeConfig(string file)
    {
        var yaml = Parse(file);
        var isDeclarative = yaml.Root is not JsonObject root || !root.TryAdd("applications", new JsonArray());
        return new(Read(yaml, isolation: null), isDeclarative);
    }

    private static ParsedYamlFile Parse(string file) => File.Exists(file)
        ? YamlConfigReader.Read(file, File.ReadAllText(file))
        : throw new DefinitionException($"Config file '{file}' not found in {Directory.GetCurrentDirectory()}.");

    private static ServeConfig Read(ParsedYamlFile yaml, IsolationMode? isolation)
    {
        var file = yaml.Path;
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
