using System.Globalization;
using Serve.RoutingBench;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var isQuick = args.Contains("--quick");
// --plot FILE: the day only, drawn to an SVG file.
var plot = args.Contains("--plot") ? args[^1] : null;
DayRows.Run(plot);
if (plot is not null)
    return;
PickerRows.Run(isQuick);
await OverloadRows.RunAsync(isQuick);
