using System.Text;
using System.Xml.Linq;

namespace Serve.Cli.Build;

/// <summary>The project that stands for one C# file: compiled in place, so that errors and debuggers name the user's file.</summary>
internal static class SourceFileProject
{
    /// <summary>The folder within the build folder that receives the result.</summary>
    public const string OutputFolder = "out";

    private const string DefaultSdk = "Microsoft.NET.Sdk";

    // The Web SDK's own implicit usings, and those that a deployment class wants.
    private static readonly string[] Usings =
    [
        "System.Net.Http.Json", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http",
        "Microsoft.AspNetCore.Routing", "Microsoft.AspNetCore.Mvc", "Microsoft.Extensions.Configuration",
        "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
    ];

    /// <summary>Writes the project.</summary>
    /// <param name="source">The C# file, absolute.</param>
    /// <param name="assemblyName">What the assembly is called.</param>
    /// <param name="directives">What the file asks for.</param>
    /// <returns>The project's text.</returns>
    public static string Write(string source, string assemblyName, SourceDirectives directives)
    {
        var sdks = directives.Sdks.IsEmpty ? [(DefaultSdk, null)] : directives.Sdks;
        var project = new XElement("Project",
            // A Directory.Build.props above the state directory is not the user's file's.
            new XElement("PropertyGroup",
                new XElement("ImportDirectoryBuildProps", "false"),
                new XElement("ImportDirectoryBuildTargets", "false"),
                new XElement("ImportDirectoryPackagesProps", "false")),
            sdks.Select(sdk => Import("Sdk.props", sdk)),
            new XElement("PropertyGroup",
                new XElement("TargetFramework", "net10.0"),
                new XElement("OutputType", "Library"),
                new XElement("AssemblyName", assemblyName),
                new XElement("Features", "$(Features);FileBasedProgram"),
                new XElement("EnableDefaultItems", "false"),
                new XElement("ImplicitUsings", "enable"),
                new XElement("Nullable", "enable"),
                new XElement("NuGetAudit", "false"),
                new XElement("InvariantGlobalization", "true"),
                new XElement("SatelliteResourceLanguages", "en"),
                new XElement("OutDir", OutputFolder + "/"),
                // A NuGet.config beside the file counts, as it does for a project.
                new XElement("RestoreRootConfigDirectory", Escape(Path.GetDirectoryName(source)!)),
                directives.Properties.Select(property => new XElement(property.Name, property.Value))),
            new XElement("ItemGroup",
                Usings.Select(name => Item("Using", name)),
                // MVC has a RemoteAttribute of its own, for forms; [Remote] is meant to be Core's.
                new XElement("Using", new XAttribute("Include", "Serve.RemoteAttribute"), new XAttribute("Alias", "RemoteAttribute")),
                Item("Compile", Escape(source)),
                directives.Packages.Select(package => Item("PackageReference", package.Name, package.Version)),
                directives.Projects.Select(reference => Item("ProjectReference", Escape(reference)))),
            sdks.Select(sdk => Import("Sdk.targets", sdk)));
        return new StringBuilder().Append(project).Append('\n').ToString();
    }

    /// <summary>An assembly name that a file's name allows.</summary>
    /// <param name="source">The file.</param>
    /// <returns>Its stem with what an assembly name cannot hold replaced.</returns>
    public static string AssemblyName(string source) =>
        string.Concat(Path.GetFileNameWithoutExtension(source).Select(letter => char.IsLetterOrDigit(letter) || letter is '.' or '_' or '-' ? letter : '_'));

    // MSBuild reads these letters in a path as its own syntax.
    private static string Escape(string path) =>
        string.Concat(path.Select(letter => letter is '%' or '$' or '@' or '\'' or ';' or '?' or '*' or '(' or ')' ? $"%{(int)letter:X2}" : letter.ToString()));

    private static XElement Import(string file, (string Name, string? Version) sdk) =>
        new("Import", new XAttribute("Project", file), new XAttribute("Sdk", sdk.Version is null ? sdk.Name : $"{sdk.Name}/{sdk.Version}"));

    private static XElement Item(string kind, string include, string? version = null) =>
        new(kind, new XAttribute("Include", include), version is null ? null : new XAttribute("Version", version));
}
