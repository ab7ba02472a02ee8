using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Serve.ArityGenerator;

/// <summary>Adds one source file for each <c>.arities</c> template among a project's additional files.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class ArityTemplateGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var templates = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(".arities", StringComparison.Ordinal))
            .Select(static (file, stop) => (Name: Path.GetFileNameWithoutExtension(file.Path), Text: file.GetText(stop)?.ToString() ?? ""));
        context.RegisterSourceOutput(templates, static (output, template) =>
            output.AddSource($"{template.Name}.g.cs", SourceText.From(ArityTemplate.Expand(template.Text), Encoding.UTF8)));
    }
}
