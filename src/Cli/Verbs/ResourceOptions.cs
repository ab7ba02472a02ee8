using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Serve.Runtime;

namespace Serve.Cli.Verbs;

/// <summary>The options that say what a node has to give; the names are Ray's.</summary>
internal sealed class ResourceOptions
{
    private const string Expected = "a number, 0 or more";

    // Amounts are kept as integers of ten-thousandths.
    private const double Most = 1e14;

    private readonly Option<double?> cpus = NumberOption.Of("--num-cpus", "N", "CPUs that replicas, tasks and actors may reserve; a number to account with. Default: the machine's.", 0, Most, Expected);
    private readonly Option<int?> gpus = NumberOption.Of("--num-gpus", "N", "GPUs they may reserve. Default: the NVIDIA devices that CUDA_VISIBLE_DEVICES leaves, all where it is not set.", 0, 1 << 16, "a whole number, 0 or more");
    private readonly Option<long?> memory = NumberOption.Of("--memory", "BYTES", "Bytes of memory they may reserve. Default: the machine's, or the container's.", 0, (long)Most, "bytes, 0 or more");
    private readonly Option<string[]> custom = new("--resource")
    {
        Description = "A resource of your own, for instance --resource licence=2. May be given again.",
        HelpName = "NAME=AMOUNT",
        DefaultValueFactory = _ => [],
    };

    /// <summary>Adds the options to a verb.</summary>
    public ResourceOptions(Command command)
    {
        custom.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!TryRead(token.Value, out var name, out _))
                    result.AddError($"--resource {token.Value}: expected NAME=AMOUNT, for instance licence=2.");
                else if (name is ResourceDemand.Cpu or ResourceDemand.Gpu or ResourceDemand.Memory)
                    result.AddError($"--resource {token.Value}: {name} has an option of its own: --num-cpus, --num-gpus or --memory.");
            }
        });
        Option[] all = [cpus, gpus, memory, custom];
        foreach (var option in all)
            command.Options.Add(option);
    }

    /// <summary>Reads the options.</summary>
    public ResourceDemand Read(ParseResult parsed) => ResourceDemands.TotalOf(new()
    {
        NumCpus = parsed.GetValue(cpus),
        NumGpus = parsed.GetValue(gpus),
        Memory = parsed.GetValue(memory),
        Resources = (parsed.GetValue(custom) ?? []).Aggregate(
            ImmutableDictionary<string, double>.Empty, static (all, text) => TryRead(text, out var name, out var amount) ? all.SetItem(name, amount) : all),
    });

    private static bool TryRead(string text, out string name, out double amount)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        name = at < 0 ? "" : text[..at].Trim();
        return double.TryParse(text[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out amount) && name.Length > 0 && amount is >= 0 and <= Most;
    }
}
