namespace Serve;

/// <summary>Metadata in a model file. Texts are empty if the file has none.</summary>
/// <param name="Graph">Name of the graph.</param>
/// <param name="Producer">Program that created the file.</param>
/// <param name="Description">Human-readable description.</param>
/// <param name="Domain">Domain of the author, in reverse notation.</param>
/// <param name="Version">Version number; 0 if it has none.</param>
/// <param name="Metadata">Additional keys and values.</param>
public sealed record OnnxModelInfo(
    string Graph, string Producer, string Description, string Domain, long Version, IReadOnlyDictionary<string, string> Metadata);
