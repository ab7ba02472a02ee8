using Serve.Specs;

namespace Serve.Controller;

/// <summary>What was asked for, and its code, built.</summary>
internal sealed record PreparedApplication(ApplicationConfig Config, ApplicationPackage Package);
